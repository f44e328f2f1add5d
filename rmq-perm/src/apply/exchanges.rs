//! Checks that topic permissions are for topic exchanges that exist, or will with their virtual
//! host.

use super::columns::Column;
use super::desired::{Desired, Problem};
use super::rows::Wrong;
use super::state::State;
use crate::administration::{Administration, Rule, Subject, Text, TopicPermission};
use crate::refusal::{Refusal, unless_topic};
use rmq_common::failure::Failure;
use std::collections::HashMap;

/// A topic permission that would have no effect.
#[derive(Debug)]
pub struct Misplaced {
    pub line: u64,
    pub subject: Subject,
    pub why: Refusal,
}

impl Misplaced {
    pub fn problem(&self) -> Problem {
        let wrong = Wrong { column: Some(Column::Exchange), failure: self.why.failure() };
        Problem { line: self.line, wrong }
    }
}

/// The topic permissions to be set that would have no effect. Those that the broker already has are
/// not checked: what was listed can be applied again.
pub fn misplaced(
    desired: &Desired,
    state: &State,
    broker: &mut dyn Administration,
) -> Result<Vec<Misplaced>, Failure> {
    let mut known: HashMap<(&str, &str), Option<Text>> = HashMap::new();
    let mut misplaced = Vec::new();
    for (subject, (line, rule)) in &desired.rules {
        let Rule::Topic(TopicPermission { vhost, exchange, .. }) = rule else { continue };
        if state.rules.get(subject).is_some_and(|before| before.is(rule)) {
            continue;
        }
        let kind = match known.get(&(&**vhost, &**exchange)) {
            Some(kind) => kind.clone(),
            None => {
                let kind = if state.vhosts.contains_key(vhost.as_bytes()) {
                    let what = format!("check exchange {exchange} on {vhost}");
                    broker.exchange_type(vhost, exchange).map_err(|it| it.context(what))?
                } else if desired.vhosts.contains_key(vhost) {
                    of_a_new_vhost(exchange).map(|kind| kind.as_bytes().to_vec())
                } else {
                    // The missing virtual host is reported by itself.
                    continue;
                };
                known.insert((vhost, exchange), kind.clone());
                kind
            }
        };
        if let Err(why) = unless_topic(exchange, kind.as_deref()) {
            misplaced.push(Misplaced { line: *line, subject: subject.clone(), why });
        }
    }
    Ok(misplaced)
}

/// The type of an exchange that every new virtual host has.
fn of_a_new_vhost(exchange: &str) -> Option<&'static str> {
    match exchange {
        "amq.topic" | "amq.rabbitmq.trace" => Some("topic"),
        "amq.direct" => Some("direct"),
        "amq.fanout" => Some("fanout"),
        "amq.headers" | "amq.match" => Some("headers"),
        _ => None,
    }
}
