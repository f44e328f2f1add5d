//! From a node's name to a connection: epmd gives the port; in the handshake both sides prove the
//! cookie.

use super::cookie::Cookie;
use super::link::Link;
use crate::term::Pid;
use erl_dist::epmd::EpmdClient;
use erl_dist::handshake::{ClientSideHandshake, HandshakeError, HandshakeStatus};
use erl_dist::node::{Creation, LocalNode, NodeName};
use erl_dist::{DistributionFlags, LOWEST_DISTRIBUTION_PROTOCOL_VERSION};
use rmq_common::exit::Exit;
use rmq_common::failure::{Cause, Failure};
use rmq_common::runtime::TcpStream;
use std::io::{Error, ErrorKind};
use std::net::IpAddr;

/// A link over TCP.
pub type Connection = Link<TcpStream, TcpStream>;

/// How to find out on which port a node listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    Known(u16),
    /// The epmd on this port knows it.
    Epmd(u16),
}

/// Connects to `node` at the first of `addresses` that works. Returns the link, and a process of
/// ours to which the node sends answers.
///
/// # Errors
/// It is not reached (69), or it refuses our cookie or has another one (77).
pub async fn connect(
    node: &NodeName,
    addresses: &[IpAddr],
    port: Port,
    cookie: &Cookie,
) -> Result<(Connection, Pid), Failure> {
    let mut first = None;
    for address in addresses {
        match connect_at(node, *address, port, cookie).await {
            Ok(connected) => return Ok(connected),
            // localhost has two addresses, and Erlang listens on the first kind by default.
            Err(failure) if failure.exit() == Exit::Unavailable => first.get_or_insert(failure),
            Err(failure) => return Err(failure),
        };
    }
    Err(first.unwrap_or_else(|| unavailable("the host has no address")))
}

async fn connect_at(
    node: &NodeName,
    address: IpAddr,
    port: Port,
    cookie: &Cookie,
) -> Result<(Connection, Pid), Failure> {
    let port = match port {
        Port::Known(port) => port,
        Port::Epmd(epmd) => ask_epmd(node, address, epmd).await?,
    };
    let stream = open(address, port).await.map_err(|error| {
        unavailable(format!("nothing answers at its port {port}: {}", Cause(&error)))
    })?;
    shake_hands(stream, node, cookie).await
}

async fn ask_epmd(node: &NodeName, address: IpAddr, port: u16) -> Result<u16, Failure> {
    let stream = open(address, port).await.map_err(|error| {
        let why = Cause(&error);
        unavailable(format!("no epmd at {address} port {port} to ask for the node's port: {why}"))
    })?;
    match EpmdClient::new(stream).get_node(node.name()).await {
        Ok(Some(entry)) => Ok(entry.port),
        Ok(None) => Err(unavailable(format!(
            "the epmd at {address} port {port} does not know {}; is the node running?",
            node.name()
        ))),
        Err(error) => Err(unavailable(format!(
            "ask epmd at {address} port {port} for the node's port: {error}"
        ))),
    }
}

async fn open(address: IpAddr, port: u16) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect((address, port)).await?;
    // Many small messages are exchanged, each after the previous one is answered.
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn shake_hands(
    stream: TcpStream,
    node: &NodeName,
    cookie: &Cookie,
) -> Result<(Connection, Pid), Failure> {
    let refused = |why: &str| Failure::new(Exit::NoPerm, why);
    let broken = |error: HandshakeError| {
        unavailable(format!(
            "the node does not speak unencrypted Erlang distribution of OTP 23 or later: {error}"
        ))
    };
    // A name of our own would stay in the node's atom table forever; with NAME_ME, the node assigns
    // one of a few that it keeps for this. Only the host in our name is then used.
    let us = NodeName::new("rmq-perm", node.host())
        .map_err(|error| Failure::usage(format!("the host's name is too long: {error}")))?;
    let mut us = LocalNode::new(us, Creation::random());
    us.flags |= DistributionFlags::NAME_ME;
    let mut handshake = ClientSideHandshake::new(stream, us, cookie.secret.reveal());
    let status = handshake.execute_send_name(LOWEST_DISTRIBUTION_PROTOCOL_VERSION).await;
    let (name, creation) = match status.map_err(broken)? {
        HandshakeStatus::Named { name, creation } => (name, creation),
        HandshakeStatus::NotAllowed => {
            return Err(refused("the node refused the connection (not_allowed)"));
        }
        status => {
            return Err(unavailable(format!("the node assigned no name, but answered {status:?}")));
        }
    };
    // erl_dist checks the node's answer to our challenge: so the node has the cookie.
    let (stream, peer) = handshake.execute_rest(true).await.map_err(|error| match error {
        HandshakeError::Io(error) if has_ended(&error) => {
            refused(&format!("the node refused the cookie from {}", cookie.origin))
        }
        HandshakeError::CookieMismatch => {
            refused(&format!("the node does not have the cookie from {}", cookie.origin))
        }
        error => broken(error),
    })?;
    // The host may be one of several names of the same machine, but the rest must match.
    if peer.name.name() != node.name() {
        return Err(unavailable(format!("another node listens there: {}", peer.name)));
    }
    let us = format!("{name}@{}", node.host());
    // A client that had this name before must not have used the same process id; see `call`.
    let id = Creation::random().get();
    let link = Link::new(stream.clone(), stream)?;
    Ok((link, Pid { node: us, id, serial: 0, creation: creation.get() }))
}

fn has_ended(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
    )
}

fn unavailable(why: impl Into<String>) -> Failure {
    Failure::new(Exit::Unavailable, why)
}
