//! The options of every subcommand, without the subcommand.

use crate::output::Format;
use rmq_common::duration::Limit;
use std::time::Duration;

/// The tool's name.
pub const PROGRAM: &str = "rmq-perm";

/// The options that were given; the help describes each.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "the help says what each is")]
pub struct Options {
    pub vhost: Option<String>,
    pub node: Option<String>,
    pub cookie_file: Option<String>,
    pub dist_port: Option<u16>,
    pub api: Option<String>,
    pub user: Option<String>,
    pub password_file: Option<String>,
    pub cacert: Option<String>,
    pub timeout: Option<Duration>,
    pub retry: Option<Limit>,
    pub url: Option<String>,
    pub insecure_dist: bool,
    pub format: Option<Format>,
    pub quiet: bool,
    pub verbose: bool,
}
