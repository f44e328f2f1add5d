//! The command line: the options of every subcommand, and the subcommands, whose files have their
//! own.

use crate::commands::Command;
use crate::options::Options;
use crate::output::Format;
use argh::{ArgsInfo, FromArgs};
use rmq_common::duration::{self, Limit};
use rmq_common::help::Help;
use std::time::Duration;

/// What `--help` says besides the options.
pub const HELP: Help = Help {
    usage: &["[options] COMMAND [ARGUMENT...]"],
    example: "rmq-perm set -p /orders alice '^orders' '^orders' '^orders'",
    groups: &[],
    common: &["--node", "--api", "--format"],
    commands: &[
        ("Virtual hosts", "add-vhost"),
        ("Users", "add-user"),
        ("Permissions", "set"),
        ("Files", "apply"),
        ("Cluster", "cluster-status"),
        ("Queues", "list-queues"),
        ("Connections", "list-connections"),
    ],
};

/// Manage virtual hosts, users and permissions of RabbitMQ, and show the state of its cluster.
/// Connects to a node as rabbitmqctl does, with the node's cookie, or with --api to the management
/// plugin.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(help_triggers("-h", "--help"))]
pub struct Arguments {
    /// virtual host (default: /)
    #[argh(option, short = 'p', arg_name = "NAME")]
    pub vhost: Option<String>,

    /// node to ask (default: $RABBITMQ_NODENAME, else rabbit on this host)
    #[argh(option, short = 'n', arg_name = "NAME@HOST")]
    pub node: Option<String>,

    /// file with the node's cookie (default: $RABBITMQ_ERLANG_COOKIE, else ~/.erlang.cookie, else
    /// /var/lib/rabbitmq/.erlang.cookie)
    #[argh(option, arg_name = "FILE")]
    pub cookie_file: Option<String>,

    /// the node's distribution port (default: ask epmd at $ERL_EPMD_PORT, else 4369)
    #[argh(option, arg_name = "PORT")]
    pub dist_port: Option<u16>,

    /// management API to ask instead of a node; http://user@host:15672 or https://; @PROFILE is one
    /// of profiles.toml (default: $RABBITMQ_API_URL, if set)
    #[argh(option, arg_name = "URL|@PROFILE")]
    pub api: Option<String>,

    /// user to ask the API as; overrides the URL's
    #[argh(option, arg_name = "NAME")]
    pub user: Option<String>,

    /// file whose first line is that user's password; overrides the URL's; stands before the command
    /// with add-user, change-password and authenticate
    #[argh(option, arg_name = "FILE")]
    pub password_file: Option<String>,

    /// certificates of the authorities to trust with https:// instead of the system's
    #[argh(option, arg_name = "FILE")]
    pub cacert: Option<String>,

    /// how long to wait for the node, and for each of its answers (default: 10s; 5m to delete-vhost)
    #[argh(option, arg_name = "DURATION", from_str_fn(timeout))]
    pub timeout: Option<Duration>,

    /// how long to keep trying to reach the node; a request is never sent twice (default: 30s)
    #[argh(option, arg_name = "DURATION|forever")]
    pub retry: Option<Limit>,

    /// what other tools have
    #[argh(option, short = 'u', arg_name = "URL", hidden_help)]
    pub url: Option<String>,

    /// connect to a node on another machine without encryption
    #[argh(switch)]
    pub insecure_dist: bool,

    /// format of a listing (default: table on a terminal, else tsv)
    #[argh(option, arg_name = "table|tsv|csv|json")]
    pub format: Option<Format>,

    /// print errors only, no notices
    #[argh(switch)]
    pub quiet: bool,

    /// print more on standard error
    #[argh(switch, short = 'v')]
    pub verbose: bool,

    /// show the version and exit
    #[argh(switch, short = 'V')]
    #[expect(dead_code, reason = "answered before the arguments are read")]
    version: bool,

    /// what to do
    #[argh(subcommand)]
    pub command: Command,
}

impl Arguments {
    /// The options, and the subcommand.
    pub fn parts(self) -> (Options, Command) {
        let options = Options {
            vhost: self.vhost,
            node: self.node,
            cookie_file: self.cookie_file,
            dist_port: self.dist_port,
            api: self.api,
            user: self.user,
            password_file: self.password_file,
            cacert: self.cacert,
            timeout: self.timeout,
            retry: self.retry,
            url: self.url,
            insecure_dist: self.insecure_dist,
            format: self.format,
            quiet: self.quiet,
            verbose: self.verbose,
        };
        (options, self.command)
    }
}

/// At least a millisecond: with 0, every answer would be too late.
fn timeout(text: &str) -> Result<Duration, String> {
    match duration::parse(text)? {
        Duration::ZERO => Err("give at least 1ms".to_owned()),
        timeout => Ok(timeout),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_at_least_a_millisecond_and_a_bare_number_is_seconds() {
        for text in ["0", "0s", "0ms", "0d"] {
            assert!(timeout(text).is_err_and(|why| why.contains("at least 1ms")), "{text}");
        }
        assert_eq!(timeout("5"), Ok(Duration::from_secs(5)));
        assert_eq!(timeout("5s"), timeout("5"));
        assert_eq!(timeout("1ms"), Ok(Duration::from_millis(1)));
        assert!(timeout("forever").is_err());
    }
}
