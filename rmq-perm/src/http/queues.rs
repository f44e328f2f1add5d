//! The queues of a virtual host.
//!
//! By default the API tells of queues what it has collected in the last ten seconds, and nothing
//! of those it has not heard of. Asked for totals without statistics it looks at the queues
//! themselves, as the other way does; what that leaves out, the messages of streams, is taken from
//! the statistics, and the consumers from their own list.

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

const TOTALS: &str = "?disable_stats=true&enable_queue_totals=true\
                      &columns=name,type,messages,state,arguments";

/// All queues of `vhost`.
///
/// # Errors
/// When there is no such virtual host (65), our user may not look into it (77), or the broker does
/// not tell.
pub fn of_vhost(broker: &Http, vhost: &str) -> Result<Vec<Queue>, Failure> {
    let answer = broker.send(Effect::Reads, Method::GET, &["queues", vhost], TOTALS, None)?;
    let answer = match answer.status {
        200 => answer.body,
        // What 4.3 says of a virtual host that is there, but not for us.
        404 if answer.body["error"] == "not_found" => {
            let why = format!("{} has no permissions on the virtual host", broker.user);
            return Err(Failure::new(Exit::NoPerm, why));
        }
        404 => return Err(refused::no_such_vhost()),
        _ => return Err(refusal::in_words(&answer, &broker.user, Effect::Reads)),
    };
    let mut queues = each(&answer, queue)?;
    if queues.iter().any(|queue| queue.messages.is_none() && !is_down(queue)) {
        let collected = collected(broker, vhost)?;
        for queue in queues.iter_mut().filter(|queue| queue.messages.is_none()) {
            queue.messages = collected.get(&queue.name).copied().filter(|_| !is_down(queue));
        }
    }
    if broker.sees_all() {
        let consumers = consumers(broker, vhost)?;
        for queue in queues.iter_mut().filter(|queue| !is_down(queue)) {
            queue.consumers = Some(consumers.get(&queue.name).copied().unwrap_or(0));
        }
    }
    Ok(queues)
}

fn is_down(queue: &Queue) -> bool {
    queue.state == b"down"
}

fn queue(queue: &Value) -> Option<Queue> {
    Some(Queue {
        name: text(queue, "name")?,
        kind: text(queue, "type")?,
        messages: queue.get("messages").and_then(Value::as_u64),
        consumers: None,
        state: text(queue, "state").unwrap_or_else(|| b"unknown".to_vec()),
        arguments: queue.get("arguments").cloned().unwrap_or_default(),
    })
}

/// The messages of each queue, as collected.
fn collected(broker: &Http, vhost: &str) -> Result<HashMap<Text, u64>, Failure> {
    let found = broker.get(&["queues", vhost], "?columns=name,messages")?;
    let counts = each(&found.ok_or_else(refused::no_such_vhost)?, |queue| {
        let messages = queue.get("messages").and_then(Value::as_u64);
        Some((text(queue, "name")?, messages))
    })?;
    Ok(counts.into_iter().filter_map(|(name, messages)| Some((name, messages?))).collect())
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
