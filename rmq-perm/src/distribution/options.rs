//! The options of Erlang distribution.

use std::time::Duration;

/// What the command line says about the way to the node.
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
    /// The same for what takes the broker longer.
    pub long: Duration,
    /// `--insecure-dist`
    pub insecure: bool,
}
