//! The management HTTP API: the way for brokers with that plugin, over a network, encrypted with
//! https.
//!
//! * [`url`] says where it is and who asks; [`client`] asks, one question at a time over one
//!   connection, and [`unanswered`] tells why there is no answer.
//! * [`broker`] is the API as its user sees it; [`refusal`] puts its no into words.
//! * [`administer`] knows what to ask for what; [`users`], [`permissions`] and [`topic_permissions`]
//!   with [`imports`], [`queues`] with [`declared`] and [`one_by_one`], and [`cluster`] the subjects
//!   that need several questions; [`pattern`] matches as the broker does.

mod administer;
mod bounded;
mod broker;
mod client;
mod cluster;
mod declared;
mod imports;
mod one_by_one;
mod pattern;
mod permissions;
mod queues;
mod refusal;
mod topic_permissions;
mod unanswered;
mod url;
mod users;

pub use broker::Http;
pub use url::ApiUrl;

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
