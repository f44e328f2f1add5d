//! The policy in force on a queue that is down. The API shows it only of a queue that works, so it is
//! derived from the policies of the virtual host, as the broker derives it.

use super::broker::Http;
use super::json::{each, text};
use crate::administration::Text;
use crate::queues::Queue;
use pcre2::bytes::{Regex, RegexBuilder};
use rmq_common::failure::Failure;
use serde_json::Value;
use std::cmp::Reverse;

const CLASSIC: &str = "classic";
const QUORUM: &str = "quorum";
const STREAM: &str = "stream";

/// What a policy may say about queues, and of which types. With anything else, the broker may skip
/// the policy for that type.
const KNOWN: [(&str, &[&str]); 12] = [
    ("max-length", &[CLASSIC, QUORUM]),
    ("max-length-bytes", &[CLASSIC, QUORUM, STREAM]),
    ("overflow", &[CLASSIC, QUORUM]),
    ("expires", &[CLASSIC, QUORUM]),
    ("message-ttl", &[CLASSIC, QUORUM]),
    ("dead-letter-exchange", &[CLASSIC, QUORUM]),
    ("dead-letter-routing-key", &[CLASSIC, QUORUM]),
    ("dead-letter-strategy", &[QUORUM]),
    ("delivery-limit", &[QUORUM]),
    ("queue-version", &[CLASSIC]),
    ("max-age", &[STREAM]),
    ("stream-max-segment-size-bytes", &[STREAM]),
];

/// A policy of a virtual host.
struct Policy {
    name: Text,
    pattern: Option<Regex>,
    applies_to: Text,
    says: Vec<String>,
    priority: i64,
}

/// Adds the policy to queues of which it is unknown; it stays so if the API does not list the
/// policies in time, or not to our user.
///
/// # Errors
/// The list is not understood (70).
pub fn add(broker: &Http, vhost: &str, queues: &mut [Queue]) -> Result<(), Failure> {
    if queues.iter().all(|queue| queue.policy.is_some()) {
        return Ok(());
    }
    let answer = broker.read_in_time(broker.limit(), &["policies", vhost], "")?;
    let Some(answer) = answer.filter(|answer| answer.status == 200) else { return Ok(()) };
    let mut policies = each(&answer.body, policy)?;
    policies.sort_by_key(|policy| Reverse(policy.priority));
    for queue in queues.iter_mut().filter(|queue| queue.policy.is_none()) {
        queue.policy = in_force(&policies, queue);
    }
    Ok(())
}

/// The first that matches, empty if none does; `None` if that is uncertain.
fn in_force(policies: &[Policy], queue: &Queue) -> Option<Text> {
    let kinds = [CLASSIC, QUORUM, STREAM];
    let kind = kinds.into_iter().find(|kind| kind.as_bytes() == queue.kind)?;
    let mut matching = Vec::new();
    for policy in policies.iter().filter(|policy| policy.is_for(&queue.kind)) {
        // One that our library does not take, or takes too long for, may match or not.
        if policy.pattern.as_ref()?.is_match(&queue.name).ok()? {
            matching.push(policy);
        }
    }
    let Some(first) = matching.first() else { return Some(Text::new()) };
    let is_tied = matching.get(1).is_some_and(|second| second.priority == first.priority);
    let is_known =
        |key: &String| KNOWN.iter().any(|(known, of)| known == key && of.contains(&kind));
    let is_known = first.says.iter().all(is_known);
    (is_known && !is_tied).then(|| first.name.clone())
}

impl Policy {
    fn is_for(&self, kind: &[u8]) -> bool {
        match &*self.applies_to {
            b"all" | b"queues" => true,
            b"classic_queues" => kind == CLASSIC.as_bytes(),
            b"quorum_queues" => kind == QUORUM.as_bytes(),
            b"streams" => kind == STREAM.as_bytes(),
            _ => false,
        }
    }
}

fn policy(policy: &Value) -> Option<Policy> {
    let says = policy.get("definition").and_then(Value::as_object);
    Some(Policy {
        name: text(policy, "name")?,
        pattern: RegexBuilder::new().build(policy.get("pattern")?.as_str()?).ok(),
        applies_to: text(policy, "apply-to")?,
        says: says.into_iter().flatten().map(|(key, _)| key.clone()).collect(),
        priority: policy.get("priority").and_then(Value::as_i64).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(all: &[(&str, &str, &str, &str, i64)], kind: &str) -> Option<String> {
        let all = all.iter().map(|(name, pattern, applies_to, says, priority)| {
            let definition = json!({ (*says): 1 });
            let value = json!({"vhost": "/", "name": name, "pattern": pattern,
                "apply-to": applies_to, "definition": definition, "priority": priority});
            policy(&value).unwrap()
        });
        let mut all: Vec<Policy> = all.collect();
        all.sort_by_key(|policy| Reverse(policy.priority));
        let queue = Queue { name: b"jobs".to_vec(), kind: kind.into(), ..Queue::default() };
        in_force(&all, &queue).map(|name| String::from_utf8(name).unwrap())
    }

    #[test]
    fn the_matching_policy_of_the_highest_priority_is_in_force() {
        let length = ("length", "^jobs", "queues", "max-length", 1);
        let low = ("low", "", "all", "max-length", 0);
        let other = ("other", "^x", "all", "max-length", 9);
        let streams = ("streams", ".", "streams", "max-age", 9);
        let exchanges = ("exchanges", ".", "exchanges", "alternate-exchange", 9);
        let all = [low, length, other, streams, exchanges];
        assert_eq!(of(&all, "quorum").as_deref(), Some("length"));
        assert_eq!(of(&all, "stream").as_deref(), Some("streams"));
        assert_eq!(of(&[other, exchanges], "classic").as_deref(), Some(""));
        assert_eq!(of(&[], "classic").as_deref(), Some(""));
    }

    #[test]
    fn what_the_broker_may_decide_otherwise_is_unknown() {
        let mirrored = ("mirrored", ".", "queues", "ha-mode", 1);
        let length = ("length", ".", "queues", "max-length", 1);
        assert_eq!(of(&[mirrored], "quorum"), None);
        assert_eq!(of(&[length, ("same", "j", "queues", "expires", 1)], "quorum"), None);
        assert_eq!(of(&[("odd", "(", "queues", "expires", 0)], "quorum"), None);
        assert_eq!(of(&[length], "x-odd"), None);
    }
}
