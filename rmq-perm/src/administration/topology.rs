//! Exchanges and bindings.

use super::{Text, Vhosts};
use rmq_common::failure::Failure;

/// The exchanges and bindings that messages pass on their way to a queue.
pub trait Topology: Vhosts {
    /// The exchanges of `vhost`; with their arguments if `arguments`.
    fn list_exchanges(&mut self, vhost: &str, arguments: bool) -> Result<Vec<Exchange>, Failure>;

    /// The bindings of `vhost`, without those of the default exchange, which nothing can change;
    /// with their arguments if `arguments`.
    fn list_bindings(&mut self, vhost: &str, arguments: bool) -> Result<Vec<Binding>, Failure>;
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exchange {
    /// Empty for the default exchange.
    pub name: Text,
    /// `topic`, or a plugin's own type.
    pub kind: Text,
    pub durable: bool,
    pub auto_delete: bool,
    /// Whether only other exchanges may publish to it.
    pub internal: bool,
    /// As a JSON object, if requested.
    pub arguments: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Binding {
    /// The name of the exchange that messages come from.
    pub source: Text,
    /// The name of the queue or exchange that they go to.
    pub destination: Text,
    /// `queue` or `exchange`: what the destination is.
    pub kind: Text,
    /// The routing key, or a pattern for a topic exchange.
    pub key: Text,
    /// As a JSON object, if requested.
    pub arguments: Option<String>,
}
