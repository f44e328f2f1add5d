//! Connections of clients.

use super::{Text, Users};
use crate::term::Pid;
use rmq_common::failure::Failure;

/// The broker's connections, on every node.
pub trait Connections: Users {
    /// All connections, or those of `user`, who need not exist; as far as our user may see them.
    fn list_connections(&mut self, user: Option<&str>) -> Result<Vec<Connection>, Failure>;

    /// Those of `user` at this moment, with only what locates each.
    fn connections_of(&mut self, user: &str) -> Result<Vec<Connection>, Failure>;

    /// Has the broker close the `connections` of `user`; `all` says whether those are all of the
    /// user's. Their clients are given `reason`. A client that does not answer stays for some
    /// seconds.
    fn close_connections(
        &mut self,
        user: &str,
        connections: &[Connection],
        all: bool,
        reason: &str,
    ) -> Result<(), Failure>;
}

/// A connection. What is `None` is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// `127.0.0.1:50904 -> 127.0.0.1:5672`
    pub name: Text,
    pub user: Option<Text>,
    pub vhost: Option<Text>,
    /// `127.0.0.1:50904`
    pub peer: Option<Text>,
    /// The client's own name for it.
    pub client: Option<Text>,
    /// `running`, `blocked`, ...
    pub state: Option<Text>,
    /// Since when, in milliseconds since 1970.
    pub since: Option<u64>,
    pub node: Option<Text>,
    /// `AMQP 0-9-1`
    pub protocol: Option<Text>,
    /// Its process, over distribution.
    pub process: Option<Pid>,
}

/// `127.0.0.1:50904`, or `[::1]:50904`; an IPv4 address in IPv6 form is written as IPv4.
pub fn peer(host: &str, port: u64) -> Text {
    use std::net::IpAddr;
    let canonical = host.parse().map(|address: IpAddr| address.to_canonical().to_string());
    let host = canonical.as_deref().unwrap_or(host);
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_an_address_and_a_port_that_can_be_told_apart() {
        for (host, shown) in [
            ("127.0.0.1", "127.0.0.1:7"),
            ("::1", "[::1]:7"),
            ("::ffff:10.0.0.1", "10.0.0.1:7"),
            ("host", "host:7"),
        ] {
            assert_eq!(peer(host, 7), shown.as_bytes());
        }
    }
}
