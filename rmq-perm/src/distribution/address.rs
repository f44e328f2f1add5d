//! Where a node is, and whether we may connect to it there.
//!
//! Distribution is not encrypted, and any process that can listen can guess the cookie from the
//! handshake; the cookie grants everything. So, by default, we connect only to this machine: over
//! loopback, or over one of its own addresses, which the kernel keeps off the network.

use rmq_common::exit::Exit;
use rmq_common::failure::{Cause, Failure};
use rmq_common::thread;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs, UdpSocket};
use std::sync::mpsc;
use std::time::Duration;

/// The allowed addresses of `host`, IPv4 first, as in Erlang itself.
///
/// # Errors
/// There is none (69), or none on this machine and `insecure` is not set (64).
pub fn of_host(host: &str, insecure: bool, limit: Duration) -> Result<Vec<IpAddr>, Failure> {
    allowed(resolve(host, limit)?, insecure, is_on_this_machine).ok_or_else(|| {
        Failure::usage(format!(
            "{host} is another machine, and Erlang distribution is not encrypted: anyone on the \
             network can learn the cookie, which grants everything; run this on {host}, or give \
             --insecure-dist if you trust the network"
        ))
    })
}

/// Whether data sent to `host` leaves this machine; false for a host without an address.
pub fn is_another_machine(host: &str, limit: Duration) -> bool {
    resolve(host, limit).is_ok_and(|addresses| !addresses.into_iter().all(is_on_this_machine))
}

/// The resolver has no time limit of its own, so it runs on a thread that can be left behind.
fn resolve(host: &str, limit: Duration) -> Result<Vec<IpAddr>, Failure> {
    let (sender, receiver) = mpsc::channel();
    let name = host.to_owned();
    let resolver = thread::start("resolver", move || {
        let found = (name.as_str(), 0).to_socket_addrs();
        // After the limit nothing receives it.
        let _ = sender.send(found.map(|found| found.map(|address| address.ip()).collect()));
    });
    resolver.map_err(|error| Failure::io("start a thread", &error))?;
    let unavailable = |why: &str| Failure::new(Exit::Unavailable, why);
    match receiver.recv_timeout(limit) {
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(error)) => {
            Err(unavailable(&format!("look up the address of {host}: {}", Cause(&error))))
        }
        Err(_) => Err(unavailable(&format!("look up the address of {host}: no answer in time"))),
    }
}

fn allowed(
    mut addresses: Vec<IpAddr>,
    insecure: bool,
    is_here: impl Fn(IpAddr) -> bool,
) -> Option<Vec<IpAddr>> {
    addresses.retain(|address| insecure || is_here(*address));
    addresses.sort_by_key(IpAddr::is_ipv6);
    addresses.dedup();
    Some(addresses).filter(|addresses| !addresses.is_empty())
}

/// Whether data sent to `address` stays on this machine. The kernel also uses an address of its own
/// as the source for it, which connecting a UDP socket shows without sending anything.
fn is_on_this_machine(address: IpAddr) -> bool {
    let any: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let sends_from = || {
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect((address, 9))?;
        socket.local_addr()
    };
    address.is_loopback() || sends_from().is_ok_and(|from| from.ip() == address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn another_machine_is_spoken_to_only_if_that_is_allowed() {
        let remote = addresses(&["192.0.2.1"]);
        assert_eq!(allowed(remote.clone(), false, |_| false), None);
        assert_eq!(allowed(remote.clone(), true, |_| false), Some(remote));
        let refused = of_host("192.0.2.1", false, Duration::from_secs(1)).unwrap_err();
        assert_eq!(refused.exit(), Exit::Usage);
        assert!(refused.to_string().contains("--insecure-dist"), "{refused}");
    }

    #[test]
    fn of_several_addresses_those_of_this_machine_are_used_ipv4_first() {
        let all = addresses(&["::1", "192.0.2.1", "127.0.0.1", "127.0.0.1"]);
        let here = allowed(all, false, |address| address.is_loopback());
        assert_eq!(here, Some(addresses(&["127.0.0.1", "::1"])));
    }

    #[test]
    fn loopback_is_this_machine_and_a_documentation_address_is_not() {
        assert!(is_on_this_machine("127.0.1.1".parse().unwrap()));
        assert!(is_on_this_machine("::1".parse().unwrap()));
        assert!(!is_on_this_machine("192.0.2.1".parse().unwrap()));
    }
}
