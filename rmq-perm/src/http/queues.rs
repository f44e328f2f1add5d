//! The queues of a virtual host.
//!
//! By default the API reports statistics that are up to ten seconds old, and no counts of queues that
//! it has no statistics of. For totals without statistics it queries the queues themselves, as the
//! other transport does. The statistics have the rest: the messages of streams, and the queues that
//! are down, for which 3.10 gives no state, and no release the policy. The consumers have a list of
//! their own. For each of these lists the API reads the arguments of every queue, whose size their
//! users choose: without a list that is late, the others are shown.

use super::broker::Http;
use super::json::{broken, each, text};
use super::path::path;
use super::queue::{columns, queue};
use super::{declared, on_vhost, one_by_one, policies};
use crate::administration::Text;
use crate::queues::{Asked, Queue};
use crate::unanswered::Effect;
use rmq_common::failure::Failure;
use std::collections::{HashMap, HashSet};

const TOTALS: &str = "&disable_stats=true&enable_queue_totals=true";

/// All queues of `vhost`.
///
/// # Errors
/// There is no such virtual host (65), or our user has no access to it (77).
pub fn of_vhost(broker: &Http, vhost: &str, asked: Asked) -> Result<Vec<Queue>, Failure> {
    let mut queues = match listed(broker, vhost, asked)? {
        Some(queues) if asked.declared => declared::add(broker, vhost, queues)?,
        Some(queues) => queues,
        None => {
            let running = running_nodes(broker)?;
            let queues = one_by_one::of_vhost(broker, vhost, asked)?;
            queues.into_iter().map(|queue| judged(queue, running.as_ref())).collect()
        }
    };
    if asked.details {
        policies::add(broker, vhost, &mut queues)?;
    }
    if broker.sees_all() {
        let Some(consumers) = consumers(broker, vhost)? else {
            broker
                .notice("the number of consumers is not shown: the API did not return it in time");
            return Ok(queues);
        };
        for queue in queues.iter_mut().filter(|queue| queue.has_counts()) {
            queue.consumers = Some(consumers.get(&queue.name).copied().unwrap_or(0));
        }
    }
    Ok(queues)
}

/// All queues from the API's lists; `None` if the first does not arrive in time.
fn listed(broker: &Http, vhost: &str, asked: Asked) -> Result<Option<Vec<Queue>>, Failure> {
    let columns = columns(asked);
    // Statistics first, so that a queue deleted in between does not look like one that is down.
    let Some(collected) = ask(broker, vhost, &columns)? else { return Ok(None) };
    let totals = ask(broker, vhost, &(columns + TOTALS))?;
    // In the statistics, a member stays online long after its node is gone.
    let running = running_nodes(broker)?;
    let judged = |queue: Queue| judged(queue, running.as_ref());
    let Some(mut queues) = totals else {
        broker.notice(&format!(
            "messages are up to ten seconds old: the API did not count those of {vhost} within \
             --timeout"
        ));
        return Ok(Some(collected.into_iter().map(judged).collect()));
    };
    let mut collected: HashMap<Text, Queue> =
        collected.into_iter().map(|queue| (queue.name.clone(), queue)).collect();
    for queue in &mut queues {
        let Some(collected) = collected.remove(&queue.name) else { continue };
        queue.messages = queue.messages.or(collected.messages);
        for (count, collected) in queue.counts.iter_mut().zip(collected.counts) {
            *count = count.or(collected);
        }
        queue.leader = queue.leader.take().or(collected.leader);
        queue.policy = queue.policy.take().or(collected.policy);
        if queue.members.is_empty() {
            queue.members = collected.members;
        }
        if queue.online.is_empty() {
            queue.online = collected.online;
        }
    }
    let mut queues: Vec<Queue> = queues.into_iter().map(judged).collect();
    for queue in collected.into_values() {
        let mut queue = judged(queue);
        // The collected data may be ten seconds old, and the queue may have been deleted since.
        if !queue.lacks_leader() {
            if !exists(broker, vhost, &queue.name)? {
                continue;
            }
            queue.state = b"down".to_vec();
            queue = queue.judged();
        }
        queues.push(queue);
    }
    Ok(Some(queues))
}

/// The queue with only members on running nodes shown as online, and a state that fits.
fn judged(mut queue: Queue, running: Option<&HashSet<Text>>) -> Queue {
    if let Some(running) = running {
        queue.online.retain(|node| running.contains(node));
    }
    queue.judged()
}

/// The nodes that run; `None` if our user may not see them.
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

/// `None` if the list does not arrive in time.
fn ask(broker: &Http, vhost: &str, query: &str) -> Result<Option<Vec<Queue>>, Failure> {
    let Some(answer) = broker.read_in_time(broker.limit(), &["queues", vhost], query)? else {
        return Ok(None);
    };
    each(&on_vhost::body(broker, answer)?, queue).map(Some)
}

/// Whether a queue that only the statistics have exists.
fn exists(broker: &Http, vhost: &str, name: &[u8]) -> Result<bool, Failure> {
    let name = String::from_utf8_lossy(name);
    if path(&[&name]).is_err() {
        return Ok(true);
    }
    Ok(broker.get(&["queues", vhost, &name], "?columns=name")?.is_some())
}

/// How many consumers each queue has, if any; `None` if that does not arrive in time.
fn consumers(broker: &Http, vhost: &str) -> Result<Option<HashMap<Text, u64>>, Failure> {
    let (segments, query) = (["consumers", vhost], "?columns=queue.name");
    let Some(answer) = broker.read_in_time(broker.limit(), &segments, query)? else {
        return Ok(None);
    };
    match answer.status {
        200 => {}
        404 => return Err(broken("the broker has no list of consumers".to_owned())),
        _ => return Err(broker.refusal(&answer, Effect::Reads)),
    }
    let mut counts = HashMap::new();
    for name in each(&answer.body, |consumer| text(consumer.get("queue")?, "name"))? {
        *counts.entry(name).or_insert(0) += 1;
    }
    Ok(Some(counts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_queue_without_a_state_is_judged_by_its_members() {
        let answer = json!({"name": "q", "type": "quorum", "members": ["a", "b"], "online": []});
        let down = queue(&answer).unwrap().judged();
        assert_eq!((&*down.state, down.messages), (&b"down"[..], None));
        let answer = json!({"name": "q", "type": "classic", "state": "running", "node": "a"});
        let classic = queue(&answer).unwrap().judged();
        assert_eq!((classic.members, classic.online), (vec![b"a".to_vec()], vec![b"a".to_vec()]));
    }
}
