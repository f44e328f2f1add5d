//! The options of Erlang distribution.

use std::time::Duration;

/// The node, and how to connect to it.
#[derive(Clone, Debug)]
pub struct Options {
    /// `--node`
    pub node: Option<String>,
    /// `--cookie-file`
    pub cookie_file: Option<String>,
    /// `--dist-port`
    pub port: Option<u16>,
    /// `--timeout`
    pub timeout: Duration,
    /// The same for long operations.
    pub long: Duration,
    /// `--insecure-dist`
    pub insecure: bool,
}
