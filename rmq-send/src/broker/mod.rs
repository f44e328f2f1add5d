//! The connection, the channel that publishes, and what the broker says on them.

pub mod awaited;
pub mod connect;
pub mod connection;
pub mod exchanges;
pub mod link;
pub mod obstacles;
pub mod publisher;
pub mod watch;
