//! The options of the management API.

use super::url::ApiUrl;
use rmq_common::duration::Limit;
use rmq_common::password::Password;
use std::time::Duration;

/// The API of the command line, the environment or a profile.
#[derive(Clone, Debug)]
pub struct Options {
    /// `--api`, without its user and password.
    pub url: ApiUrl,
    pub user: String,
    pub password: Password,
    /// `--cacert`
    pub cacert: Option<String>,
    /// `--timeout`
    pub timeout: Duration,
    /// The same for long operations.
    pub long: Duration,
    /// A profile's `retry`
    pub retry: Option<Limit>,
}
