//! The management HTTP API: the way for brokers with that plugin, over a network, encrypted with
//! https.
//!
//! * [`url`] says where it is and who asks; [`client`] asks, one question at a time over one
//!   connection, and [`no_answer`] says why there is no answer.
//! * [`broker`] is the API as its user sees it; [`refusal`] reads the statuses.
//! * [`administer`] knows what to ask for what; [`users`], [`permissions`] and [`topic_permissions`]
//!   with [`imports`], [`queues`] with [`declared`] and [`one_by_one`], and [`cluster`] the subjects
//!   that need several questions; [`pattern`] matches as the broker does.

mod answer;
mod bounded;
mod broker;
mod client;
mod cluster;
mod declared;
mod imports;
mod json;
mod no_answer;
mod objections;
mod one_by_one;
mod options;
mod pattern;
mod permissions;
mod queue;
mod queues;
mod refusal;
mod topic_permissions;
mod url;
mod users;
mod vhosts;

pub use broker::Http;
pub use options::Options;
pub use url::ApiUrl;
