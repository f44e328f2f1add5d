//! The management HTTP API: the transport for brokers with that plugin, over a network, encrypted
//! with https.
//!
//! * [`client`] sends a request to the [`url`], one at a time over one connection; [`no_answer`]
//!   says why there is no answer.
//! * [`broker`] is the API from its user's point of view; [`refusal`] interprets the statuses,
//!   [`json`] the answers.
//! * [`vhosts`], [`users`], [`permissions`], [`topic_permissions`], [`limits`], [`topology`],
//!   [`cluster`] and [`connections`] implement the traits of
//!   [`administration`](crate::administration), with [`imports`] and [`objections`], and [`queues`]
//!   with [`declared`], [`policies`] and [`one_by_one`]; [`on_vhost`] reads lists of what is on a
//!   virtual host, and [`pattern`] matches as the broker does.

mod answer;
mod bounded;
mod broker;
mod client;
mod cluster;
mod connections;
mod consumers;
mod declared;
mod imports;
mod json;
mod limits;
mod no_answer;
mod objections;
mod on_vhost;
mod one_by_one;
mod options;
mod path;
mod pattern;
mod permission_request;
mod permissions;
mod policies;
mod queue;
mod queues;
mod refusal;
mod topic_permissions;
mod topology;
mod url;
mod users;
mod vhosts;

pub use broker::Http;
pub use options::Options;
pub use url::ApiUrl;
