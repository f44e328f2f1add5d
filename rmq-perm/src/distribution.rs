//! Erlang distribution: rabbitmqctl's transport, without Erlang on this side.
//!
//! * [`node`] says which node, [`address`] where it is and whether we may speak to it there;
//!   [`cookie`] finds the secret that proves who we are.
//! * [`connect`] finds the node's port and shakes hands; [`link`] then keeps the connection;
//!   [`frame`] and [`decode`] read what the node sends, within bounds; [`call`] has it call a
//!   function.
//! * [`broker`] is a node with RabbitMQ on it, whose internal functions are called as rabbitmqctl
//!   does. They check little, so the names that come here have been checked.
//! * [`vhosts`], [`users`], [`permissions`], [`topic_permissions`], [`limits`], [`topology`],
//!   [`cluster`] and
//!   [`connections`]
//!   implement the traits of [`administration`](crate::administration), the same for every release.

mod address;
mod arguments;
mod at_once;
mod broker;
mod call;
mod cluster;
mod connect;
mod connections;
mod consumers;
mod cookie;
mod decode;
mod frame;
mod limits;
mod link;
mod node;
mod options;
mod permissions;
mod queues;
mod rows;
mod table;
mod topic_permissions;
mod topology;
mod users;
mod vhosts;

pub use address::is_another_machine;
pub use broker::Distribution;
pub use options::Options;
