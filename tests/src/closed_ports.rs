//! Addresses at which nothing answers, for certain.

use rustix::net::{AddressFamily, SocketAddrAny, SocketType, bind, getsockname, listen, socket};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

/// A port that is taken and not listened on, so that connections to it are refused. One that was
/// listened on and released may be another test's listener the next moment.
#[derive(Debug)]
pub struct Closed {
    /// Where nothing listens.
    pub address: SocketAddr,
    _taken: OwnedFd,
}

impl Closed {
    /// Takes a port.
    ///
    /// # Panics
    /// When there is none.
    pub fn take() -> Self {
        let (taken, address) = take(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));
        Closed { address, _taken: taken }
    }
}

/// A port whose queue of connections is full, so that the kernel drops further ones.
#[derive(Debug)]
pub struct Full {
    /// An address to which connecting takes forever.
    pub address: SocketAddr,
    _taken: OwnedFd,
    _waiting: Vec<TcpStream>,
}

impl Full {
    /// Takes this port, or any one if it is 0.
    ///
    /// # Panics
    /// When it is not available.
    pub fn take(at: SocketAddrV4) -> Self {
        let (taken, address) = take(at);
        listen(&taken, 0).expect("a queue");
        let next = || TcpStream::connect_timeout(&address, Duration::from_millis(300)).ok();
        let waiting = std::iter::from_fn(next).collect();
        Full { address, _taken: taken, _waiting: waiting }
    }
}

fn take(at: SocketAddrV4) -> (OwnedFd, SocketAddr) {
    let taken = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    bind(&taken, &at).expect("a port");
    let address: SocketAddrAny = getsockname(&taken).expect("the port's number");
    (taken, SocketAddr::try_from(address).expect("an address of IP"))
}
