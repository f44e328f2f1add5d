//! Erlang distribution: rabbitmqctl's transport, without Erlang on this side.
//!
//! * [`node`] determines which node to ask, [`address`] where it is and whether we may connect to
//!   it there; [`cookie`] finds the secret that proves our identity.
//! * [`connect`] finds the node's port and performs the handshake; [`link`] then keeps the
//!   connection; [`frame`] and [`decode`] read from it, within bounds; [`call`] has it call a
//!   function.
//! * [`broker`] is a node with RabbitMQ on it, whose internal functions are called in the same way
//!   as by rabbitmqctl. These functions check little, so names are checked before they get here.
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
