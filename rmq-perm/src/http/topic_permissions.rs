//! Topic permissions.

use super::broker::{Changed, Http};
use super::imports::{self, Refused};
use super::json::{broken, each, text};
use super::permissions::rows;
use crate::administration::{Scope, Text, TopicGrant, TopicPatterns, TopicPermission};
use crate::refusal::unless_topic;
use rmq_common::failure::Failure;
use serde_json::{Value, json};
use std::collections::HashSet;

/// Restricts which routing keys `user` may use at `exchange` of `vhost`.
///
/// # Errors
/// When there is no such user (67), virtual host or exchange (65), or the broker refuses a pattern
/// (65).
pub fn set(
    broker: &Http,
    user: &str,
    vhost: &str,
    exchange: &str,
    patterns: TopicPatterns<&str>,
) -> Result<(), Failure> {
    broker.require_user(user)?;
    broker.require_vhost(vhost)?;
    let kind = exchange_type(broker, vhost, exchange)?;
    unless_topic(exchange, kind.as_deref()).map_err(|refusal| refusal.failure())?;
    put(broker, user, vhost, &body(exchange, patterns.write, patterns.read))
}

/// The same of many, in any order: by imports where they are many. `made` hears of each, and says
/// whether to go on.
///
/// # Errors
/// Which was not made, or perhaps not, and why.
pub fn set_all(
    broker: &Http,
    grants: &[TopicGrant<'_>],
    made: &mut dyn FnMut() -> bool,
) -> Result<(), (usize, Failure)> {
    let entry = |grant: &TopicGrant<'_>| {
        let TopicPatterns { write, read } = grant.patterns;
        json!({"user": grant.user, "vhost": grant.vhost, "exchange": grant.exchange,
            "write": write, "read": read})
    };
    let mut seen = HashSet::new();
    for (place, TopicGrant { vhost, exchange, .. }) in grants.iter().enumerate() {
        // No import minds, before 4.3, that there is no such exchange; none that it is another type.
        if seen.insert((vhost, exchange)) {
            let kind = exchange_type(broker, vhost, exchange).map_err(|why| (place, why))?;
            unless_topic(exchange, kind.as_deref()).map_err(|it| (place, it.failure()))?;
        }
    }
    let entries: Vec<Value> = grants.iter().map(entry).collect();
    imports::set_all(broker, "topic_permissions", &entries, made, &mut |range, past, made| {
        let (mut go_on, mut first) = (true, None);
        for (place, grant) in grants.iter().enumerate().take(range.end).skip(range.start) {
            let TopicGrant { user, vhost, exchange, patterns } = *grant;
            match set(broker, user, vhost, exchange, patterns) {
                Ok(()) => go_on &= made(),
                Err(failure) => drop(first.get_or_insert((place, failure))),
            }
            if past == Refused::Ends && (!go_on || first.is_some()) {
                break;
            }
        }
        first.map_or(Ok(go_on), Err)
    })
}

/// The type of an exchange, `None` if there is no such exchange.
///
/// # Errors
/// When the broker does not tell.
pub fn exchange_type(broker: &Http, vhost: &str, exchange: &str) -> Result<Option<Text>, Failure> {
    let found = broker.get(&["exchanges", vhost, exchange], "?columns=type")?;
    found.map(|found| text(&found, "type").ok_or_else(not_understood)).transpose()
}

fn not_understood() -> Failure {
    broken("an answer that is not understood".to_owned())
}

fn body(exchange: &str, write: &str, read: &str) -> Value {
    json!({"exchange": exchange, "write": write, "read": read})
}

fn put(broker: &Http, user: &str, vhost: &str, body: &Value) -> Result<(), Failure> {
    match broker.put(&["topic-permissions", vhost, user], body)? {
        Changed::Created | Changed::Done => Ok(()),
        Changed::Missing => {
            Err(Failure::data("the user or the virtual host went away at the same moment"))
        }
    }
}

/// Ends what restricts `user` at `exchange` of `vhost`, or at all of its exchanges.
///
/// The API can only end all of it. What is to stay is then set again, and for that moment does not
/// restrict the user.
///
/// # Errors
/// When there is no such user (67) or virtual host (65); when what is to stay could not be set
/// again, and reports it.
pub fn clear(
    broker: &Http,
    user: &str,
    vhost: &str,
    exchange: Option<&str>,
) -> Result<(), Failure> {
    broker.require_user(user)?;
    broker.require_vhost(vhost)?;
    let path = ["topic-permissions", vhost, user];
    let Some(exchange) = exchange else { return broker.delete(&path).map(drop) };
    let Some(all) = broker.get(&path, "")? else { return Ok(()) };
    let all = each(&all, |row| {
        let text = |key: &str| row.get(key)?.as_str().map(str::to_owned);
        Some((text("exchange")?, text("write")?, text("read")?))
    })?;
    let others: Vec<_> = all.iter().filter(|(other, ..)| other != exchange).collect();
    if others.len() == all.len() {
        return Ok(());
    }
    broker.delete(&path)?;
    for (index, (other, write, read)) in others.iter().enumerate() {
        put(broker, user, vhost, &body(other, write, read)).map_err(|failure| {
            let lost = others.iter().skip(index);
            let lost = lost.map(|(other, write, read)| format!("{other} '{write}' '{read}'"));
            let lost = lost.collect::<Vec<_>>().join(", ");
            failure.context(format!("set again what this took away (set-topic {user} {lost})"))
        })?;
    }
    Ok(())
}

/// The topic permissions within `scope`.
///
/// # Errors
/// When there is no such user (67) or virtual host (65), or the broker does not tell.
pub fn list(broker: &Http, scope: &Scope) -> Result<Vec<TopicPermission>, Failure> {
    rows(broker, scope, "topic-permissions", |row| {
        let patterns = TopicPatterns { write: text(row, "write")?, read: text(row, "read")? };
        let (vhost, user, exchange) =
            (text(row, "vhost")?, text(row, "user")?, text(row, "exchange")?);
        Some(TopicPermission { vhost, user, exchange, patterns })
    })
}
