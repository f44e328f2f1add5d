//! Topic permissions.

use super::broker::{Changed, Http};
use super::imports::{self, Refused};
use super::json::{broken, each, text};
use super::permissions::rows;
use crate::administration::{
    Scope, Text, TopicGrant, TopicPatterns, TopicPermission, TopicPermissions,
};
use crate::refusal::Refusal;
use rmq_common::failure::Failure;
use serde_json::{Value, json};
use std::collections::HashSet;

impl TopicPermissions for Http {
    fn put_topic_permissions(&mut self, grant: TopicGrant<'_>) -> Result<(), Failure> {
        put(self, grant)
    }

    /// By imports if they are many.
    fn set_all_topic_permissions(
        &mut self,
        grants: &[TopicGrant<'_>],
        made: &mut dyn FnMut() -> bool,
    ) -> Result<(), (usize, Failure)> {
        let mut seen = HashSet::new();
        for (place, TopicGrant { vhost, exchange, .. }) in grants.iter().enumerate() {
            // Before 4.3, an import accepts a missing exchange; every release accepts one of
            // another type.
            if seen.insert((vhost, exchange)) {
                self.require_topic_exchange(vhost, exchange).map_err(|why| (place, why))?;
            }
        }
        let entry = |grant: &TopicGrant<'_>| {
            let mut entry = body(grant);
            entry["user"] = grant.user.into();
            entry["vhost"] = grant.vhost.into();
            entry
        };
        let entries: Vec<Value> = grants.iter().map(entry).collect();
        let broker = &*self;
        let set = |grant: TopicGrant<'_>| {
            Refusal::NoSuchUser.unless(broker.has_user(grant.user)?)?;
            Refusal::NoSuchVhost.unless(broker.has_vhost(grant.vhost)?)?;
            put(broker, grant)
        };
        imports::set_all(broker, "topic_permissions", &entries, made, &mut |range, past, made| {
            let (mut go_on, mut first) = (true, None);
            for (place, grant) in grants.iter().enumerate().take(range.end).skip(range.start) {
                match set(*grant) {
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

    /// The API can only remove all of them. The others are set again; until then, nothing restricts
    /// the user.
    fn remove_topic_permissions(
        &mut self,
        user: &str,
        vhost: &str,
        exchange: Option<&str>,
    ) -> Result<(), Failure> {
        let path = path_of(vhost, user);
        let Some(exchange) = exchange else { return self.delete(&path).map(drop) };
        let Some(all) = self.get(&path, "")? else { return Ok(()) };
        let all = each(&all, |row| {
            let text = |key: &str| row.get(key)?.as_str().map(str::to_owned);
            Some((text("exchange")?, text("write")?, text("read")?))
        })?;
        let others: Vec<_> = all.iter().filter(|(other, ..)| other != exchange).collect();
        if others.len() == all.len() {
            return Ok(());
        }
        self.delete(&path)?;
        for (index, (exchange, write, read)) in others.iter().enumerate() {
            let patterns = TopicPatterns { write: &**write, read };
            put(self, TopicGrant { vhost, user, exchange, patterns }).map_err(|failure| {
                let lost = others.iter().skip(index);
                let lost = lost.map(|(other, write, read)| format!("{other} '{write}' '{read}'"));
                let lost = lost.collect::<Vec<_>>().join(", ");
                failure.context(format!(
                    "restore the other topic permissions (set-topic {user} {lost})"
                ))
            })?;
        }
        Ok(())
    }

    fn list_topic_permissions(
        &mut self,
        scope: &Scope,
    ) -> Result<Vec<TopicPermission<Text>>, Failure> {
        rows(self, scope, "topic-permissions", |row| {
            let patterns = TopicPatterns { write: text(row, "write")?, read: text(row, "read")? };
            let (vhost, user, exchange) =
                (text(row, "vhost")?, text(row, "user")?, text(row, "exchange")?);
            Some(TopicPermission { vhost, user, exchange, patterns })
        })
    }

    fn exchange_type(&mut self, vhost: &str, exchange: &str) -> Result<Option<Text>, Failure> {
        let found = self.get(&["exchanges", vhost, exchange], "?columns=type")?;
        let not_understood = || broken("unexpected answer".to_owned());
        found.map(|found| text(&found, "type").ok_or_else(not_understood)).transpose()
    }
}

fn path_of<'a>(vhost: &'a str, user: &'a str) -> [&'a str; 3] {
    ["topic-permissions", vhost, user]
}

fn body(grant: &TopicGrant<'_>) -> Value {
    let TopicPatterns { write, read } = grant.patterns;
    json!({"exchange": grant.exchange, "write": write, "read": read})
}

fn put(broker: &Http, grant: TopicGrant<'_>) -> Result<(), Failure> {
    match broker.put(&path_of(grant.vhost, grant.user), &body(&grant))? {
        Changed::Created | Changed::Done => Ok(()),
        Changed::Missing => Err(Refusal::NoSuchUserOrVhost.failure()),
    }
}
