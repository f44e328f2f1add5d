//! The queues of a virtual host.
//!
//! By default the API tells of queues what it has collected in the last ten seconds, and nothing
//! of how many messages are in those it has not heard of. Asked for totals without statistics it
//! looks at the queues themselves, as the other way does. What that leaves out is taken from the
//! statistics: the messages of streams, and the queues that are down, of which 3.10 gives no state.
//! The consumers have a list of their own. Arguments are as large as who declared a queue likes, so
//! they are asked for a page at a time, and one by one where a page is too large.

use super::broker::{Fetched, Http, broken, each, text};
use super::client::path;
use super::refusal;
use super::unanswered::Effect;
use crate::administration::Text;
use crate::queues::{Declared, Queue, Room, left_out};
use crate::refused;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};
use ureq::http::Method;

const STATISTICS: &str = "?columns=name,type,messages,state,members,online,node";

const TOTALS: &str = "?columns=name,type,messages,state,members,online,node\
                      &disable_stats=true&enable_queue_totals=true";

/// What a queue was declared with.
const DECLARED: &str = "name,durable,auto_delete,exclusive,arguments";
/// Of how many queues it is asked at a time, more as long as each answer comes this soon.
const SMALLEST_PAGE: usize = 8;
const LARGEST_PAGE: usize = 512;
const QUICK: Duration = Duration::from_millis(250);

/// All queues of `vhost`; with what they were declared with, if `declared`.
///
/// # Errors
/// When there is no such virtual host (65), our user may not look into it (77), or the broker does
/// not tell.
pub fn of_vhost(broker: &Http, vhost: &str, declared: bool) -> Result<Vec<Queue>, Failure> {
    // These first: a queue that was deleted in between is then not taken for one that is down.
    let collected = ask(broker, vhost, STATISTICS)?;
    let mut queues = ask(broker, vhost, TOTALS)?;
    let mut collected: HashMap<Text, Queue> =
        collected.into_iter().map(|queue| (queue.name.clone(), queue)).collect();
    for queue in &mut queues {
        let Some(collected) = collected.remove(&queue.name) else { continue };
        queue.messages = queue.messages.or(collected.messages);
        if queue.members.is_empty() {
            queue.members = collected.members;
        }
        if queue.online.is_empty() {
            queue.online = collected.online;
        }
    }
    // The statistics have a member online long after its node is gone.
    let running = running_nodes(broker)?;
    let judged = |mut queue: Queue| {
        if let Some(running) = &running {
            queue.online.retain(|node| running.contains(node));
        }
        queue.judged()
    };
    let mut queues: Vec<Queue> = queues.into_iter().map(judged).collect();
    for queue in collected.into_values() {
        let mut queue = judged(queue);
        // What was collected may be ten seconds old, and the queue deleted since.
        if !queue.lacks_leader() {
            if !is_there(broker, vhost, &queue.name)? {
                continue;
            }
            queue.state = b"down".to_vec();
            queue = queue.judged();
        }
        queues.push(queue);
    }
    if broker.sees_all() {
        let consumers = consumers(broker, vhost)?;
        for queue in queues.iter_mut().filter(|queue| !queue.lacks_leader()) {
            queue.consumers = Some(consumers.get(&queue.name).copied().unwrap_or(0));
        }
    }
    if declared {
        let mut all = all_declared(broker, vhost, &queues)?;
        // One that is not among them was deleted meanwhile.
        queues.retain_mut(|queue| {
            queue.declared = all.remove(&queue.name);
            queue.declared.is_some()
        });
    }
    Ok(queues)
}

/// The nodes that run, for who may know.
fn running_nodes(broker: &Http) -> Result<Option<HashSet<Text>>, Failure> {
    if !broker.sees_all() {
        return Ok(None);
    }
    let nodes = broker.expect(&["nodes"], "?columns=name,running")?;
    let running = each(&nodes, |node| {
        Some(node.get("running")?.as_bool()?.then(|| text(node, "name")).flatten())
    })?;
    Ok(Some(running.into_iter().flatten().collect()))
}

fn ask(broker: &Http, vhost: &str, query: &str) -> Result<Vec<Queue>, Failure> {
    let answer = broker.send(Effect::Reads, Method::GET, &["queues", vhost], query, None)?;
    match answer.status {
        200 => each(&answer.body, queue),
        // What 4.3 says of a virtual host that is there, but not for us.
        404 if answer.body["error"] == "not_found" => {
            let why = format!("{} has no permissions on the virtual host", broker.user);
            Err(Failure::new(Exit::NoPerm, why))
        }
        404 => Err(refused::no_such_vhost()),
        _ => Err(refusal::in_words(&answer, &broker.user, Effect::Reads)),
    }
}

fn queue(queue: &Value) -> Option<Queue> {
    let state = text(queue, "state").unwrap_or_else(|| b"unknown".to_vec());
    let kind = text(queue, "type")?;
    let nodes = |key: &str| -> Vec<Text> {
        let nodes = queue.get(key).and_then(Value::as_array).into_iter().flatten();
        nodes.filter_map(Value::as_str).map(|node| node.as_bytes().to_vec()).collect()
    };
    let (mut members, mut online) = (nodes("members"), nodes("online"));
    if kind == b"classic" {
        members = text(queue, "node").into_iter().collect();
        online = if state == b"down" { Vec::new() } else { members.clone() };
    }
    let messages = queue.get("messages").and_then(Value::as_u64);
    let name = text(queue, "name")?;
    Some(Queue { name, kind, messages, state, members, online, ..Queue::default() })
}

/// Whether a queue is there which the statistics have and the totals have not.
fn is_there(broker: &Http, vhost: &str, name: &[u8]) -> Result<bool, Failure> {
    let name = String::from_utf8_lossy(name);
    if path(&[&name]).is_err() {
        return Ok(true);
    }
    Ok(broker.get(&["queues", vhost, &name], "?columns=name")?.is_some())
}

/// What the queues of `vhost` were declared with, of `queues` at least those that are still there.
fn all_declared(
    broker: &Http,
    vhost: &str,
    queues: &[Queue],
) -> Result<BTreeMap<Text, Declared>, Failure> {
    let (mut all, mut room) = (BTreeMap::new(), Room::default());
    let (mut done, mut size) = (0, SMALLEST_PAGE);
    while done < queues.len() {
        let page = done / size + 1;
        let query = format!("?page={page}&page_size={size}&columns={DECLARED}&disable_stats=true");
        let asked = Instant::now();
        match broker.fetch(&["queues", vhost], &query)? {
            Fetched::Found(answer) => {
                for queue in answer["items"].as_array().ok_or_else(not_understood)? {
                    let name = text(queue, "name").ok_or_else(not_understood)?;
                    all.insert(name, declared(queue, &mut room));
                }
                done = page * size;
                if asked.elapsed() < QUICK {
                    size = (size * 2).min(LARGEST_PAGE);
                }
            }
            Fetched::TooMuch if size > SMALLEST_PAGE => size = SMALLEST_PAGE,
            // Made up for below, one by one.
            Fetched::TooMuch => done = page * size,
            Fetched::Missing => break,
        }
    }
    // Also those that moved to another page meanwhile, because a queue before them was deleted.
    for name in queues.iter().map(|queue| &queue.name) {
        if all.contains_key(name) {
            continue;
        }
        let text = String::from_utf8_lossy(name);
        let fetched = match path(&[&text]) {
            Ok(_) => broker.fetch(&["queues", vhost, &text], &format!("?columns={DECLARED}"))?,
            Err(_) => Fetched::TooMuch,
        };
        let declared = match fetched {
            Fetched::Found(queue) => declared(&queue, &mut room),
            Fetched::Missing => continue,
            Fetched::TooMuch => {
                let arguments = left_out("they cannot be had over HTTP");
                Declared { arguments, ..Declared::default() }
            }
        };
        all.insert(name.clone(), declared);
    }
    Ok(all)
}

fn declared(queue: &Value, room: &mut Room) -> Declared {
    let is = |key: &str| queue.get(key).and_then(Value::as_bool).unwrap_or_default();
    let arguments = match &queue["arguments"] {
        // An empty table is an empty list in some releases.
        arguments @ Value::Object(_) => room.keep(arguments),
        _ => "{}".to_owned(),
    };
    let (durable, auto_delete) = (is("durable"), is("auto_delete"));
    Declared { durable, auto_delete, exclusive: is("exclusive"), arguments }
}

fn not_understood() -> Failure {
    broken("an answer nobody understands".to_owned())
}

/// How many consumers each queue has that has any.
fn consumers(broker: &Http, vhost: &str) -> Result<HashMap<Text, u64>, Failure> {
    let found = broker.get(&["consumers", vhost], "?columns=queue.name")?;
    let found = found.ok_or_else(|| broken("the broker has no list of consumers".to_owned()))?;
    let mut counts = HashMap::new();
    for name in each(&found, |consumer| text(consumer.get("queue")?, "name"))? {
        *counts.entry(name).or_insert(0) += 1;
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_queue_without_a_state_is_judged_by_its_members() {
        let told = json!({"name": "q", "type": "quorum", "members": ["a", "b"], "online": []});
        let down = queue(&told).unwrap().judged();
        assert_eq!((&*down.state, down.messages), (&b"down"[..], None));
        let told = json!({"name": "q", "type": "classic", "state": "running", "node": "a"});
        let classic = queue(&told).unwrap().judged();
        assert_eq!((classic.members, classic.online), (vec![b"a".to_vec()], vec![b"a".to_vec()]));
    }
}
