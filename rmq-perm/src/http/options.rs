//! The options of the management API.

use super::url::ApiUrl;
use rmq_common::duration::Limit;
use rmq_common::secret::Secret;
use std::time::Duration;

/// What the command line and the environment say about the way to the API.
#[derive(Clone, Debug)]
pub struct Options {
    /// `--api`, of which user and password are not used.
    pub url: ApiUrl,
    /// Who asks.
    pub user: String,
    /// With which password.
    pub password: Secret,
    /// `--cacert`
    pub cacert: Option<String>,
    /// `--timeout`
    pub timeout: Duration,
    /// The same for what takes the broker longer.
    pub long: Duration,
    /// A profile's `retry`
    pub retry: Option<Limit>,
}
