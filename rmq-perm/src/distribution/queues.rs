//! The queues of a virtual host, from every node of the cluster.
//!
//! Each node tells of the queues it leads, so those that nobody leads, because their node is down
//! or a majority is missing, are told of by none. They are in the cluster's database still, and
//! are added from there.

use super::arguments::{atoms, text};
use super::broker::{Distribution, each};
use super::table;
use super::term::Term;
use crate::administration::{Queue, Text};
use rmq_common::failure::Failure;
use std::collections::HashSet;

const QUEUES: &str = "rabbit_amqqueue";

/// What is asked of each queue.
const ITEMS: [&str; 6] = ["name", "type", "messages", "consumers", "state", "arguments"];

/// All queues of `vhost`.
///
/// # Errors
/// When there is no such virtual host (65), or the node does not say.
pub fn of_vhost(broker: &mut Distribution, vhost: &str) -> Result<Vec<Queue>, Failure> {
    broker.require_vhost(vhost)?;
    // Names are asked for first: a queue declared while we ask is then not taken for one that is
    // down, and one deleted meanwhile is not in the database afterwards.
    let answer = broker.ask(QUEUES, "list_names", vec![text(vhost)])?;
    let mut missing: HashSet<Text> = each(&answer, name)?.into_iter().collect();
    let down = each(&broker.ask(QUEUES, "list_down", vec![text(vhost)])?, record)?;
    let answer = broker.ask(QUEUES, "collect_info_all", vec![text(vhost), atoms(ITEMS)])?;
    let mut queues = each(&answer, info)?;
    for queue in &queues {
        missing.remove(&queue.name);
    }
    let told: HashSet<Text> = queues.iter().map(|queue| queue.name.clone()).collect();
    queues.extend(down.into_iter().filter(|queue| !told.contains(&queue.name)));
    for queue in &queues {
        missing.remove(&queue.name);
    }
    if !missing.is_empty() {
        let answer = broker.ask(QUEUES, "list", vec![text(vhost)])?;
        let records = each(&answer, record)?;
        queues.extend(records.into_iter().filter(|queue| missing.contains(&queue.name)));
    }
    Ok(queues)
}

/// A queue as the node that leads it tells of it: a property list.
fn info(info: &Term) -> Option<Queue> {
    Some(Queue {
        name: name(info.property("name")?)?,
        kind: kind(info.property("type")?)?,
        messages: info.property("messages").and_then(Term::count),
        consumers: info.property("consumers").and_then(Term::count),
        state: info.property("state").and_then(Term::text).unwrap_or_else(|| b"unknown".to_vec()),
        arguments: info.property("arguments").map(table::json).unwrap_or_default(),
    })
}

/// A queue as the database has it: the record `amqqueue`, of which the beginning (name, durable,
/// auto_delete, exclusive owner, arguments) has stayed the same for as long as there is one. Where
/// the type stands has not, but no other field holds such an atom.
fn record(record: &Term) -> Option<Queue> {
    let fields = record.tagged("amqqueue")?;
    let is_kind = |field: &&Term| matches!(field, Term::Atom(atom) if atom.starts_with("rabbit_") && atom.ends_with("_queue"));
    Some(Queue {
        name: name(fields.first()?)?,
        kind: fields.iter().find(is_kind).and_then(kind).unwrap_or_else(|| b"unknown".to_vec()),
        messages: None,
        consumers: None,
        state: b"down".to_vec(),
        arguments: fields.get(4).map(table::json).unwrap_or_default(),
    })
}

/// `{resource, VHost, queue, Name}`
fn name(resource: &Term) -> Option<Text> {
    match resource.tagged("resource")? {
        [_, _, name] => name.text(),
        _ => None,
    }
}

/// `rabbit_quorum_queue` is `quorum`, and so on.
fn kind(module: &Term) -> Option<Text> {
    let module = module.text()?;
    let kind = module.strip_prefix(b"rabbit_").and_then(|kind| kind.strip_suffix(b"_queue"));
    Some(kind.unwrap_or(&module).to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atom(name: &str) -> Term {
        Term::Atom(name.to_owned())
    }

    fn resource(name: &str) -> Term {
        let name = Term::Binary(name.into());
        Term::Tuple(vec![atom("resource"), Term::Binary(b"/".to_vec()), atom("queue"), name])
    }

    #[test]
    fn a_queue_in_the_database_alone_is_down_and_its_counts_are_not_known() {
        let argument = vec![
            Term::Binary(b"x-queue-type".to_vec()),
            atom("longstr"),
            Term::Binary(b"quorum".to_vec()),
        ];
        let mut fields = vec![atom("amqqueue"), resource("jobs"), atom("true"), atom("false")];
        fields.extend([atom("none"), Term::List(vec![Term::Tuple(argument)]), Term::Opaque]);
        fields.extend([atom("undefined"), atom("live"), atom("rabbit_quorum_queue")]);
        let queue = record(&Term::Tuple(fields)).unwrap();
        assert_eq!((&*queue.name, &*queue.kind), (&b"jobs"[..], &b"quorum"[..]));
        assert_eq!((queue.messages, &*queue.state), (None, &b"down"[..]));
        assert_eq!(queue.arguments.to_string(), r#"{"x-queue-type":"quorum"}"#);
    }

    #[test]
    fn a_queue_whose_counts_nobody_knows_is_still_told_of() {
        let pair = |key, value| Term::Tuple(vec![atom(key), value]);
        let list = vec![
            pair("name", resource("jobs")),
            pair("type", atom("rabbit_classic_queue")),
            pair("messages", atom("unknown")),
            pair("consumers", Term::Integer(2)),
        ];
        let queue = info(&Term::List(list)).unwrap();
        assert_eq!((queue.messages, queue.consumers), (None, Some(2)));
    }
}
