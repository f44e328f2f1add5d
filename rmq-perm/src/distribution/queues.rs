//! The queues of a virtual host, from every node of the cluster.
//!
//! Each node reports the queues it leads, so those without a leader, because their node is down or
//! a majority is missing, are not reported by any. They are still in the cluster's database, and
//! are looked up there, one by one: a queue's record contains its arguments, whose size the user
//! who declared it chose, so no answer may contain those of many.

use super::arguments::{atoms, binary, resource_of, text};
use super::broker::{Distribution, each};
use super::table;
use crate::administration::{Text, Vhosts};
use crate::queues::{Asked, COUNTS, Declared, Queue, Room};
use crate::refusal::words;
use crate::term::Term;
use rmq_common::failure::Failure;
use std::collections::{BTreeMap, HashSet};

const QUEUES: &str = "rabbit_amqqueue";

/// The items of each queue. `online` would ask the nodes of each.
const ITEMS: [&str; 7] = ["name", "type", "messages", "consumers", "state", "members", "pid"];

/// The members that work, according to their nodes.
const ONLINE: &str = "online";

/// RabbitMQ 3.10 has the queues whose node is down only in this table.
const DURABLE: &str = "rabbit_durable_queue";

/// All queues of `vhost`.
pub fn of_vhost(
    broker: &mut Distribution,
    vhost: &str,
    asked: Asked,
) -> Result<Vec<Queue>, Failure> {
    broker.require_vhost(vhost)?;
    let declared = asked.declared;
    let (running, is_3_10) = running_nodes(broker)?;
    let running: HashSet<Text> = running.into_iter().collect();
    // Names come first: then a queue declared meanwhile does not look like one that is down, and one
    // deleted meanwhile is no longer in the database.
    let mut names = names(broker, vhost)?;
    let details = COUNTS.map(|(_, item)| item).into_iter().chain(["leader", "policy"]);
    let details = details.filter(|_| asked.details).chain(asked.replicas.then_some(ONLINE));
    let items = atoms(ITEMS.into_iter().chain(details));
    let answer = broker.ask_of_all(QUEUES, "collect_info_all", &[text(vhost), items])?;
    let led = each(&answer, info)?.into_iter().map(|queue| (queue.name.clone(), queue));
    let mut queues: BTreeMap<Text, Queue> = led.collect();
    names.extend(queues.keys().cloned());
    names.retain(|name| declared || !queues.contains_key(name));
    let found = look_up(broker, vhost, &names, is_3_10, declared)?;
    if declared {
        // Deleted meanwhile.
        queues.retain(|name, _| found.contains_key(name));
    }
    for (name, found) in found {
        match queues.get_mut(&name) {
            Some(queue) => queue.declared = found.declared,
            None => drop(queues.insert(name, found)),
        }
    }
    let judged = queues.into_values().map(|mut queue| {
        if queue.online.is_empty() {
            queue.online.clone_from(&queue.members);
        }
        queue.online.retain(|member| running.contains(member));
        queue.judged()
    });
    Ok(judged.collect())
}

/// The names of all queues of `vhost`. `list_names` leaves out classic queues of a node on which
/// RabbitMQ is stopped.
fn names(broker: &mut Distribution, vhost: &str) -> Result<HashSet<Text>, Failure> {
    let of_this = |key: &Term| match key.tagged("resource") {
        Some([of, ..]) if of.text().as_deref() == Some(vhost.as_bytes()) => Some(name(key)),
        _ => Some(None),
    };
    if let Some(answer) = broker.ask_if_there("rabbit_db_queue", "list", vec![])? {
        return Ok(each(&answer, of_this)?.into_iter().flatten().collect());
    }
    let answer = broker.ask(QUEUES, "list_names", vec![text(vhost)])?;
    let mut names: HashSet<Text> = each(&answer, name)?.into_iter().collect();
    let durable = vec![super::arguments::atom(DURABLE)];
    let answer = broker.ask("mnesia", "dirty_all_keys", durable)?;
    names.extend(each(&answer, of_this)?.into_iter().flatten());
    Ok(names)
}

/// The running nodes, and whether their release is older than the function for listing them.
pub fn running_nodes(broker: &mut Distribution) -> Result<(Vec<Text>, bool), Failure> {
    let running = broker.ask_if_there("rabbit_nodes", "list_running", vec![])?;
    let is_3_10 = running.is_none();
    let running = match running {
        Some(running) => running,
        None => broker.ask("rabbit_nodes", "all_running", vec![])?,
    };
    Ok((each(&running, Term::text)?, is_3_10))
}

/// The queues with these names, from the database.
fn look_up(
    broker: &mut Distribution,
    vhost: &str,
    names: &HashSet<Text>,
    is_3_10: bool,
    declared: bool,
) -> Result<BTreeMap<Text, Queue>, Failure> {
    let mut found = BTreeMap::new();
    let mut room = Room::default();
    let mut take = |answer: &Term| {
        let queue = record(answer, declared.then_some(&mut room))?;
        found.insert(queue.name.clone(), queue);
        Some(())
    };
    let mut absent: Vec<&Text> = Vec::new();
    let all: Vec<&Text> = names.iter().collect();
    let resources = |names: &[&Text]| -> Vec<_> {
        names.iter().map(|name| resource_of(text(vhost), "queue", binary(name))).collect()
    };
    let calls = resources(&all).into_iter().map(|resource| vec![resource]);
    broker.ask_all(QUEUES, "lookup", calls, &mut |place, answer| match answer.tagged("ok") {
        Some([queue]) => take(queue),
        _ if words::is_error(answer) => all.get(place).map(|name| absent.push(name)),
        _ => None,
    })?;
    if is_3_10 {
        let table = || super::arguments::atom(DURABLE);
        let calls = resources(&absent).into_iter().map(|resource| vec![table(), resource]);
        broker.ask_all("mnesia", "dirty_read", calls, &mut |_, answer| {
            answer.list()?.iter().try_for_each(&mut take)
        })?;
    }
    Ok(found)
}

/// A queue as its leader reports it: a property list.
fn info(info: &Term) -> Option<Queue> {
    let kind = kind(info.property("type")?)?;
    let nodes = |key: &str| -> Vec<Text> {
        let nodes = info.property(key).and_then(Term::list).unwrap_or_default();
        nodes.iter().filter_map(Term::text).collect()
    };
    let (mut members, online) = (nodes("members"), nodes(ONLINE));
    if let (true, b"classic", Some(Term::Pid(pid))) =
        (members.is_empty(), &*kind, info.property("pid"))
    {
        members.push(pid.node.clone().into_bytes());
    }
    let count = |key: &str| info.property(key).and_then(Term::count);
    let leader = match info.property("pid") {
        Some(Term::Pid(pid)) => Some(pid.node.clone().into_bytes()),
        _ => info.property("leader").and_then(Term::text).filter(|leader| !leader.is_empty()),
    };
    Some(Queue {
        name: name(info.property("name")?)?,
        kind,
        messages: count("messages"),
        consumers: count("consumers"),
        counts: COUNTS.map(|(_, item)| count(item)),
        leader,
        policy: info.property("policy").and_then(Term::text),
        state: info.property("state").and_then(Term::text).unwrap_or_else(|| b"unknown".to_vec()),
        members,
        online,
        ..Queue::default()
    })
}

/// A queue in the database: the record `amqqueue`, whose beginning (name, durable, auto_delete,
/// exclusive owner, arguments, process) is the same in every release. The other fields have
/// different places in each release, but each is recognised by an atom, or a map, that no other
/// field has.
fn record(record: &Term, room: Option<&mut Room>) -> Option<Queue> {
    let fields = record.tagged("amqqueue")?;
    let is_kind = |field: &&Term| matches!(field, Term::Atom(atom) if atom.starts_with("rabbit_") && atom.ends_with("_queue"));
    let kind = fields.iter().find(is_kind).and_then(kind).unwrap_or_else(|| b"unknown".to_vec());
    let members = match (&*kind, fields.get(5)) {
        (b"classic", Some(Term::Pid(pid))) => vec![pid.node.clone().into_bytes()],
        _ => fields.iter().find_map(nodes).unwrap_or_default(),
    };
    let is = |place: usize| fields.get(place).is_some_and(|field| field.is_atom("true"));
    let declared = room.map(|room| Declared {
        durable: Some(is(1)),
        auto_delete: Some(is(2)),
        exclusive: Some(fields.get(3).is_some_and(|owner| !owner.is_atom("none"))),
        arguments: room.keep(&fields.get(4).map(table::json).unwrap_or_default()),
    });
    let (name, state) = (name(fields.first()?)?, b"down".to_vec());
    // A policy is a property list.
    let policy = fields.get(9).map(|policy| policy.property("name").and_then(Term::text));
    let policy = policy.map(Option::unwrap_or_default);
    Some(Queue { name, kind, state, members, policy, declared, ..Queue::default() })
}

/// `#{nodes => [Node, ...]}`, from 4.3 on `#{nodes => #{Node => _, ...}}` for quorum queues.
fn nodes(field: &Term) -> Option<Vec<Text>> {
    let Term::Map(pairs) = field else { return None };
    let (_, nodes) = pairs.iter().find(|(key, _)| key.is_atom("nodes"))?;
    match nodes {
        Term::List(nodes) => nodes.iter().map(Term::text).collect(),
        Term::Map(nodes) => nodes.iter().map(|(node, _)| node.text()).collect(),
        _ => None,
    }
}

/// `{resource, VHost, queue, Name}`
fn name(resource: &Term) -> Option<Text> {
    match resource.tagged("resource")? {
        [_, _, name] => name.text(),
        _ => None,
    }
}

/// The name for a module: `rabbit_quorum_queue` becomes `quorum`.
fn kind(module: &Term) -> Option<Text> {
    let module = module.text()?;
    let kind = module.strip_prefix(b"rabbit_").and_then(|kind| kind.strip_suffix(b"_queue"));
    Some(kind.unwrap_or(&module).to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::samples::atom;

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
        let nodes = Term::Map(vec![(atom("a@h"), Term::Opaque), (atom("b@h"), Term::Opaque)]);
        for nodes in [Term::List(vec![atom("a@h"), atom("b@h")]), nodes] {
            let mut fields = vec![atom("amqqueue"), resource("jobs"), atom("true"), atom("false")];
            let arguments = Term::List(vec![Term::Tuple(argument.clone())]);
            fields.extend([atom("none"), arguments, Term::Opaque]);
            fields.extend([atom("undefined"), atom("live"), atom("rabbit_quorum_queue")]);
            fields.push(Term::Map(vec![(atom("nodes"), nodes)]));
            let queue = record(&Term::Tuple(fields), Some(&mut Room::default())).unwrap();
            assert_eq!((&*queue.name, &*queue.kind), (&b"jobs"[..], &b"quorum"[..]));
            assert_eq!((queue.messages, &*queue.state), (None, &b"down"[..]));
            assert_eq!(queue.members, [b"a@h", b"b@h"]);
            let declared = queue.declared.unwrap();
            assert_eq!(declared.arguments, r#"{"x-queue-type":"quorum"}"#);
            let flags = [declared.durable, declared.auto_delete, declared.exclusive];
            assert_eq!(flags, [Some(true), Some(false), Some(false)]);
        }
    }

    #[test]
    fn a_queue_whose_counts_nobody_knows_is_still_told_of() {
        let pair = |key, value| Term::Tuple(vec![atom(key), value]);
        let list = vec![
            pair("name", resource("jobs")),
            pair("type", atom("rabbit_classic_queue")),
            pair("messages", atom("unknown")),
            pair("consumers", Term::Integer(2)),
            pair("members", atom("")),
        ];
        let queue = info(&Term::List(list)).unwrap();
        assert_eq!((queue.messages, queue.consumers), (None, Some(2)));
    }
}
