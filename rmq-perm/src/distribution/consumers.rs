//! The consumers of queues.
//!
//! Each node has a table with the consumers of the queues it leads, and one with the names of its
//! channels; both are read directly, so that no process of a queue or a client is waited for. The
//! consumers' arguments, whose size their clients choose, are not fetched.

use super::arguments::{atom, atoms, list, number, process, text, tuple};
use super::broker::{Distribution, each};
use super::queues::running_nodes;
use crate::administration::{Consumer, Text, Vhosts};
use crate::term::{Pid, Term};
use erl_dist::term as sent;
use rmq_common::failure::Failure;
use std::collections::{BTreeMap, HashMap};

const CONSUMERS: &str = "consumer_created";
const CHANNELS: &str = "channel_created";

pub fn of_vhost(broker: &mut Distribution, vhost: &str) -> Result<Vec<Consumer>, Failure> {
    broker.require_vhost(vhost)?;
    let (nodes, _) = running_nodes(broker)?;
    let nodes: Vec<_> = nodes.iter().map(|node| String::from_utf8_lossy(node)).collect();
    let arguments = vec![
        atoms(nodes.iter().map(|node| &**node)),
        atom("ets"),
        atom("select"),
        list(vec![atom(CONSUMERS), list(vec![of(vhost)])]),
        number(milliseconds(broker)),
    ];
    let answer = broker.ask("erpc", "multicall", arguments)?;
    // A node that went away no longer leads any queue.
    let rows = each(&answer, |answer| match answer.tagged("ok") {
        Some([rows]) => rows.list()?.iter().map(row).collect::<Option<Vec<_>>>(),
        _ => Some(Vec::new()),
    })?;
    // A node that led the queue before may still have it.
    let rows: BTreeMap<_, _> = rows.into_iter().flatten().map(|row| (row.key(), row)).collect();
    let mut channels: Vec<Pid> = rows.values().map(|row| row.channel.clone()).collect();
    channels.sort_by_key(identity);
    channels.dedup();
    let names = names(broker, &channels)?;
    Ok(rows
        .into_values()
        .map(|row| Consumer {
            connection: names.get(&identity(&row.channel)).cloned(),
            ..row.consumer
        })
        .collect())
}

/// A consumer without the name of its connection, and its channel.
struct Row {
    consumer: Consumer,
    channel: Pid,
}

type Identity = (String, u32, u32, u32);

fn identity(pid: &Pid) -> Identity {
    (pid.node.clone(), pid.id, pid.serial, pid.creation)
}

impl Row {
    fn key(&self) -> (Text, Identity, Text) {
        (self.consumer.queue.clone(), identity(&self.channel), self.consumer.tag.clone())
    }
}

/// A pattern for `{{Queue, Channel, Tag}, Exclusive, Acknowledges, Prefetch, Active, State,
/// Arguments}` on a virtual host, and the parts to return.
fn of(vhost: &str) -> sent::Term {
    let queue = tuple([atom("resource"), text(vhost), atom("queue"), atom("$1")]);
    let key = tuple([queue, atom("$2"), atom("$3")]);
    let fields = ["$4", "$5", "$6", "$7", "_", "_"].map(atom);
    let head = tuple(std::iter::once(key).chain(fields).collect::<Vec<_>>());
    tuple([head, list(vec![]), list(vec![atom("$$")])])
}

/// `[Queue, Channel, Tag, Exclusive, Acknowledges, Prefetch, Active]`
fn row(row: &Term) -> Option<Row> {
    let [queue, Term::Pid(channel), tag, exclusive, acknowledges, prefetch, active] = row.list()?
    else {
        return None;
    };
    let consumer = Consumer {
        queue: queue.text()?,
        connection: None,
        tag: tag.text()?,
        prefetch: prefetch.count()?,
        acknowledges: acknowledges.is_atom("true"),
        active: active.is_atom("true"),
        exclusive: exclusive.is_atom("true"),
    };
    Some(Row { consumer, channel: channel.clone() })
}

/// The names of the connections of these channels.
fn names(broker: &mut Distribution, channels: &[Pid]) -> Result<HashMap<Identity, Text>, Failure> {
    let limit = milliseconds(broker);
    let lookup = |channel: &Pid| {
        let key = list(vec![atom(CHANNELS), process(channel)]);
        vec![atom(&channel.node), atom("ets"), atom("lookup"), key, number(limit)]
    };
    let calls = channels.iter().map(lookup).collect();
    let mut names = HashMap::new();
    broker.answers_of("erpc", "call", calls, &mut |at, answer| {
        // [{Channel, [{name, Name}, ...]}]
        let found = answer.list().and_then(<[Term]>::first).and_then(Term::tuple);
        let name = found.and_then(|pair| pair.get(1)?.property("name")?.text());
        if let (Some(channel), Some(name)) = (channels.get(at), name) {
            names.insert(identity(channel), connection_of(name));
        }
    })?;
    Ok(names)
}

/// The name of a channel is that of its connection followed by its number.
fn connection_of(channel: Text) -> Text {
    let end = channel.windows(2).rposition(|two| two == b" (");
    match end {
        Some(end) if channel.ends_with(b")") => channel.into_iter().take(end).collect(),
        _ => channel,
    }
}

fn milliseconds(broker: &Distribution) -> i32 {
    i32::try_from((broker.limit / 2).as_millis()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::samples::atom;

    #[test]
    fn a_row_of_the_table_is_a_consumer_with_its_channel() {
        let pid = Pid { node: "r@h".to_owned(), id: 1, serial: 2, creation: 3 };
        let fields = |channel: Term| {
            let (queue, tag) = (Term::Binary(b"q".to_vec()), Term::Binary(b"t".to_vec()));
            Term::List(vec![
                queue,
                channel,
                tag,
                atom("false"),
                atom("true"),
                Term::Integer(200),
                atom("true"),
            ])
        };
        let read = row(&fields(Term::Pid(pid.clone()))).unwrap();
        assert_eq!((read.consumer.prefetch, &read.channel), (200, &pid));
        assert!(read.consumer.acknowledges && read.consumer.active && !read.consumer.exclusive);
        assert!(row(&fields(atom("none"))).is_none());
    }

    #[test]
    fn a_channels_name_without_its_number_is_its_connections() {
        let name = |text: &str| connection_of(text.into());
        assert_eq!(name("127.0.0.1:1 -> 127.0.0.1:2 (1)"), b"127.0.0.1:1 -> 127.0.0.1:2");
        assert_eq!(name("a (b) (12)"), b"a (b)");
        assert_eq!(name("odd"), b"odd");
    }
}
