//! The command line: the options every subcommand takes, and which subcommands there are. What a
//! subcommand takes itself stands in its own file.

use crate::commands::Command;
use crate::output::Format;
use argh::{ArgsInfo, FromArgs};
use rmq_common::arguments::Aliases;
use rmq_common::help::Help;
use std::time::Duration;

/// The tool's name.
pub const PROGRAM: &str = "rmq-perm";

/// rabbitmqctl's names of the subcommands, which work too.
pub const ALIASES: Aliases = &[
    ("add_user", "add-user"),
    ("add_vhost", "add-vhost"),
    ("change_password", "change-password"),
    ("clear_permissions", "clear"),
    ("clear_topic_permissions", "clear-topic"),
    ("cluster_status", "cluster-status"),
    ("delete_user", "delete-user"),
    ("delete_vhost", "delete-vhost"),
    ("list_permissions", "list"),
    ("list_queues", "list-queues"),
    ("list_topic_permissions", "list-topic"),
    ("list_user_permissions", "list"),
    ("list_user_topic_permissions", "list-topic"),
    ("list_users", "list-users"),
    ("list_vhosts", "list-vhosts"),
    ("set_permissions", "set"),
    ("set_topic_permissions", "set-topic"),
    ("set_user_tags", "set-tags"),
];

/// What `--help` says beside the options.
pub const HELP: Help = Help {
    usage: &["[options] COMMAND [ARGUMENT...]"],
    example: "rmq-perm set -p /orders alice '^orders' '^orders' '^orders'",
    groups: &[],
    common: &["--node", "--api", "--format"],
};

/// Who may do what where: virtual hosts, users and permissions of RabbitMQ, and a look around the
/// cluster. Speaks to a node as rabbitmqctl does, with the node's cookie, or with --api to the
/// management plugin.
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

    /// management API to ask in place of a node; http://user:password@host:15672 or https://
    /// (default: $RABBITMQ_API_URL, if set)
    #[argh(option, arg_name = "URL")]
    pub api: Option<String>,

    /// certificates of the authorities to trust with https://, in place of the system's
    #[argh(option, arg_name = "FILE")]
    pub cacert: Option<String>,

    /// how long to wait for the node, and for each of its answers (default: 10s)
    #[argh(
        option,
        arg_name = "DURATION",
        from_str_fn(rmq_common::duration::parse),
        default = "Duration::from_secs(10)"
    )]
    pub timeout: Duration,

    /// speak to a node on another machine, although nothing on the way is encrypted
    #[argh(switch)]
    pub insecure_dist: bool,

    /// how a listing looks (default: table on a terminal, else tsv)
    #[argh(option, arg_name = "table|tsv|csv|json")]
    pub format: Option<Format>,

    /// no notices on standard error, only errors
    #[argh(switch)]
    pub quiet: bool,

    /// tell more
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
