//! Connections of clients.
//!
//! Each node tracks its connections for the sake of limits. Everything else about a connection
//! comes from its own process, if it is an AMQP one: processes of other protocols crash when asked
//! about an item that they do not know.

use super::arguments::{atoms, process, text};
use super::broker::{Distribution, each};
use super::cluster::address_of;
use crate::administration::{Connection, Connections, Text, peer};
use crate::term::Term;
use erl_dist::term as sent;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;

const TRACKED: &str = "rabbit_connection_tracking";
const CONNECTIONS: &str = "rabbit_networking";
const ITEMS: [&str; 2] = ["state", "client_properties"];

impl Connections for Distribution {
    fn list_connections(&mut self, user: Option<&str>) -> Result<Vec<Connection>, Failure> {
        let mut all = tracked(self, user)?;
        let asked: Vec<usize> = (0..all.len()).filter(|at| speaks_amqp(&all, *at)).collect();
        let calls: Vec<_> = asked
            .iter()
            .filter_map(|at| all.get(*at)?.process.as_ref())
            .map(|pid| vec![process(pid), atoms(ITEMS)])
            .collect();
        let answered = self.answers_of(CONNECTIONS, "connection_info", calls, &mut |at, answer| {
            let connection = asked.get(at).and_then(|at| all.get_mut(*at));
            if let Some(connection) = connection {
                connection.state = answer.property("state").and_then(Term::text);
                connection.client = answer.property("client_properties").and_then(own_name);
            }
        });
        match answered {
            // One that does not answer does not hide the others.
            Err(failure) if failure.exit() == Exit::TempFail => self.check_running()?,
            answered => answered?,
        }
        Ok(all)
    }

    fn connections_of(&mut self, user: &str) -> Result<Vec<Connection>, Failure> {
        tracked(self, Some(user))
    }

    fn close_connections(
        &mut self,
        _: &str,
        connections: &[Connection],
        _: bool,
        reason: &str,
    ) -> Result<(), Failure> {
        let pids = connections.iter().filter_map(|connection| connection.process.as_ref());
        let calls: Vec<Vec<sent::Term>> =
            pids.map(|pid| vec![process(pid), text(reason)]).collect();
        let calls = calls.into_iter();
        self.change_all(CONNECTIONS, "close_connection", calls, &mut || true)
            .map_err(|(_, failure)| failure)
    }
}

/// The tracked connections, on every node.
fn tracked(broker: &mut Distribution, user: Option<&str>) -> Result<Vec<Connection>, Failure> {
    let answer = match user {
        Some(user) => broker.ask(TRACKED, "list_of_user", vec![text(user)])?,
        None => broker.ask(TRACKED, "list", vec![])?,
    };
    each(&answer, connection)
}

/// `{tracked_connection, Id, Node, VHost, Name, Process, Protocol, Type, Host, Port, User, Since}`
fn connection(record: &Term) -> Option<Connection> {
    let [_, node, vhost, name, process, protocol, _, host, port, user, since, ..] =
        record.tagged("tracked_connection")?
    else {
        return None;
    };
    let address = address_of(host).map(|address| address.to_string());
    let host = address.or_else(|| String::from_utf8(host.text()?).ok());
    Some(Connection {
        name: name.text()?,
        user: user.text(),
        vhost: vhost.text(),
        peer: host.zip(port.count()).map(|(host, port)| peer(&host, port)),
        since: since.count(),
        node: node.text(),
        protocol: named(protocol),
        process: match process {
            Term::Pid(pid) => Some(pid.clone()),
            _ => None,
        },
        ..Connection::default()
    })
}

/// `{0, 9, 1}` is `AMQP 0-9-1`; other protocols have `{'MQTT', "3.1.1"}`, or only a name.
fn named(protocol: &Term) -> Option<Text> {
    let Some(parts) = protocol.tuple() else { return protocol.text() };
    let numbers: Option<Vec<String>> =
        parts.iter().map(|part| part.count().map(|number| number.to_string())).collect();
    match numbers {
        Some(numbers) => Some(format!("AMQP {}", numbers.join("-")).into_bytes()),
        None => Some(parts.iter().filter_map(Term::text).collect::<Vec<_>>().join(&b' ')),
    }
}

/// Whether more can be asked of it.
fn speaks_amqp(all: &[Connection], at: usize) -> bool {
    let of = all.get(at);
    let of = of.filter(|connection| connection.peer.is_some() && connection.process.is_some());
    of.and_then(|of| of.protocol.as_ref()).is_some_and(|protocol| protocol.starts_with(b"AMQP "))
}

/// The client's own name for the connection, from `[{Name, Type, Value}, ...]`.
fn own_name(properties: &Term) -> Option<Text> {
    let property = |property: &Term| match property.tuple()? {
        [name, _, value] if name.text()? == b"connection_name" => value.text(),
        _ => None,
    };
    properties.list()?.iter().find_map(property)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::Pid;
    use crate::term::samples::{atom, binary};

    fn tuple(numbers: &[i128]) -> Term {
        Term::Tuple(numbers.iter().copied().map(Term::Integer).collect())
    }

    #[test]
    fn a_tracked_connection_says_whose_it_is_and_where_from() {
        let pid = Pid { node: "r@h".to_owned(), id: 1, serial: 2, creation: 3 };
        let record = |host: Term, protocol: Term| {
            let fields = [
                atom("tracked_connection"),
                Term::Opaque,
                atom("r@h"),
                binary("/"),
                binary("a -> b"),
                Term::Pid(pid.clone()),
                protocol,
                atom("network"),
                host,
                Term::Integer(7),
                binary("u"),
                Term::Integer(1_795_866_921_247),
            ];
            connection(&Term::Tuple(fields.to_vec())).unwrap()
        };
        let read = record(tuple(&[127, 0, 0, 1]), tuple(&[0, 9, 1]));
        assert_eq!(read.peer.as_deref(), Some(&b"127.0.0.1:7"[..]));
        assert_eq!(read.protocol.as_deref(), Some(&b"AMQP 0-9-1"[..]));
        assert_eq!((read.process.as_ref(), read.since), (Some(&pid), Some(1_795_866_921_247)));
        assert!(speaks_amqp(&[read], 0));
        let mqtt = Term::Tuple(vec![atom("MQTT"), Term::Charlist(b"3.1.1".to_vec())]);
        let other = record(tuple(&[0, 0, 0, 0, 0, 0, 0, 1]), mqtt);
        assert_eq!(other.peer.as_deref(), Some(&b"[::1]:7"[..]));
        assert_eq!(other.protocol.as_deref(), Some(&b"MQTT 3.1.1"[..]));
        assert!(!speaks_amqp(&[other], 0));
        let direct = record(atom("undefined"), Term::Tuple(vec![atom("direct"), tuple(&[0, 9])]));
        assert!(!speaks_amqp(&[direct], 0));
    }

    #[test]
    fn a_clients_own_name_is_one_of_its_properties() {
        let property = |name, value| Term::Tuple(vec![binary(name), atom("longstr"), value]);
        let properties = |pairs: Vec<Term>| own_name(&Term::List(pairs));
        let name = Term::Binary(b"a\xff".to_vec());
        let read =
            properties(vec![property("product", binary("x")), property("connection_name", name)]);
        assert_eq!(read, Some(b"a\xff".to_vec()));
        assert_eq!(properties(vec![property("product", binary("x"))]), None);
        assert_eq!(own_name(&Term::Opaque), None);
    }
}
