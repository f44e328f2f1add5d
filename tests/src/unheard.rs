//! An address where nobody listens, for certain.

use rustix::net::{AddressFamily, SocketAddrAny, SocketType, bind, getsockname, socket};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;

/// A port that is taken and not listened on, so that connecting to it is refused. One that was
/// listened on and let go may be another test's listener the next moment.
#[derive(Debug)]
pub struct Unheard {
    /// Where nobody listens.
    pub address: SocketAddr,
    _taken: OwnedFd,
}

impl Unheard {
    /// Takes a port.
    ///
    /// # Panics
    /// When there is none.
    pub fn take() -> Self {
        let taken = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        bind(&taken, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address: SocketAddrAny = getsockname(&taken).expect("the port's number");
        let address = SocketAddr::try_from(address).expect("an address of IP");
        Unheard { address, _taken: taken }
    }
}
