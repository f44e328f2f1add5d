//! The queues of a virtual host.
//!
//! By default the API tells of queues what it has collected in the last ten seconds, and nothing
//! of how many messages are in those it has not heard of. Asked for totals without statistics it
//! looks at the queues themselves, as the other way does. What that leaves out is taken from the
//! statistics: the messages of streams, and the queues that are down. The consumers have a list of
//! their own.

use super::broker::{Http, broken, each, text};
use super::refusal;
use super::unanswered::Effect;
use crate::administration::{Queue, Text};
use crate::refused;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use serde_json::Value;
use std::collections::HashMap;
use ureq::http::Method;

const STATISTICS: &str = "?columns=name,type,messages,state,arguments";

const TOTALS: &str = "?columns=name,type,messages,state,arguments\
                      &disable_stats=true&enable_queue_totals=true";

/// All queues of `vhost`.
///
/// # Errors
/// When there is no such virtual host (65), our user may not look into it (77), or the broker does
/// not tell.
pub fn of_vhost(broker: &Http, vhost: &str) -> Result<Vec<Queue>, Failure> {
    // These first: a queue that was deleted in between is then not taken for one that is down.
    let collected = ask(broker, vhost, STATISTICS)?;
    let mut queues = ask(broker, vhost, TOTALS)?;
    let mut collected: HashMap<Text, Queue> =
        collected.into_iter().map(|queue| (queue.name.clone(), queue)).collect();
    for queue in &mut queues {
        let collected = collected.remove(&queue.name);
        if queue.messages.is_none() && !is_down(queue) {
            queue.messages = collected.and_then(|queue| queue.messages);
        }
    }
    queues.extend(collected.into_values().filter(is_down));
    if broker.sees_all() {
        let consumers = consumers(broker, vhost)?;
        for queue in queues.iter_mut().filter(|queue| !is_down(queue)) {
            queue.consumers = Some(consumers.get(&queue.name).copied().unwrap_or(0));
        }
    }
    Ok(queues)
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

fn is_down(queue: &Queue) -> bool {
    queue.state == b"down"
}

fn queue(queue: &Value) -> Option<Queue> {
    let state = text(queue, "state").unwrap_or_else(|| b"unknown".to_vec());
    let is_down = state == b"down";
    Some(Queue {
        name: text(queue, "name")?,
        kind: text(queue, "type")?,
        // What was counted before it went down is not known to be true any more.
        messages: queue.get("messages").and_then(Value::as_u64).filter(|_| !is_down),
        consumers: None,
        state,
        arguments: queue.get("arguments").cloned().unwrap_or_default(),
    })
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
