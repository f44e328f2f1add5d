//! Permissions as the broker lists them, and its regular expressions.

use super::arguments::{acting_user, resource, text};
use super::broker::{Distribution, USERS, each};
use crate::administration::{
    Grant, Patterns, Permission, Scope, Text, TopicPatterns, TopicPermission,
};
use crate::refusal::{unless_topic, words};
use crate::term::Term;
use erl_dist::term as sent;
use rmq_common::failure::Failure;

/// What `set_permissions` takes.
pub fn arguments(grant: &Grant<'_>) -> Vec<sent::Term> {
    let Grant { user, vhost, patterns: Patterns { configure, write, read } } = *grant;
    let texts = [user, vhost, configure, write, read].map(text);
    texts.into_iter().chain([acting_user()]).collect()
}

/// The permissions within `scope`.
///
/// # Errors
/// When there is no such user (67) or virtual host (65), or the node does not say.
pub fn list(broker: &mut Distribution, scope: &Scope) -> Result<Vec<Permission>, Failure> {
    let functions = ["list_permissions", "list_vhost_permissions", "list_user_permissions"];
    rows(broker, scope, functions, |row| {
        let (configure, write, read) =
            (row.text("configure")?, row.text("write")?, row.text("read")?);
        let patterns = Patterns { configure, write, read };
        Some(Permission { vhost: row.vhost()?, user: row.user()?, patterns })
    })
}

/// The topic permissions within `scope`.
///
/// # Errors
/// As [`list`].
pub fn list_topic(
    broker: &mut Distribution,
    scope: &Scope,
) -> Result<Vec<TopicPermission>, Failure> {
    let functions =
        ["list_topic_permissions", "list_vhost_topic_permissions", "list_user_topic_permissions"];
    rows(broker, scope, functions, |row| {
        let patterns = TopicPatterns { write: row.text("write")?, read: row.text("read")? };
        let (vhost, user, exchange) = (row.vhost()?, row.user()?, row.text("exchange")?);
        Some(TopicPermission { vhost, user, exchange, patterns })
    })
}

/// A row of a listing, which leaves out what the listing was asked for by.
struct Row<'a> {
    properties: &'a Term,
    scope: &'a Scope,
}

impl Row<'_> {
    fn text(&self, key: &str) -> Option<Text> {
        self.properties.property(key)?.text()
    }

    fn vhost(&self) -> Option<Text> {
        self.text("vhost").or_else(|| self.scope.vhost.clone().map(String::into_bytes))
    }

    fn user(&self) -> Option<Text> {
        self.text("user").or_else(|| self.scope.user.clone().map(String::into_bytes))
    }
}

fn rows<T>(
    broker: &mut Distribution,
    scope: &Scope,
    [of_all, of_vhost, of_user]: [&'static str; 3],
    read: impl Fn(&Row<'_>) -> Option<T>,
) -> Result<Vec<T>, Failure> {
    if let Some(user) = &scope.user {
        broker.require_user(user)?;
    }
    if let Some(vhost) = &scope.vhost {
        broker.require_vhost(vhost)?;
    }
    let (function, arguments) = match scope {
        Scope { user: Some(user), .. } => (of_user, vec![text(user)]),
        Scope { vhost: Some(vhost), .. } => (of_vhost, vec![text(vhost)]),
        Scope { user: None, vhost: None } => (of_all, vec![]),
    };
    let answer = broker.ask(USERS, function, arguments)?;
    let wanted = scope.vhost.as_deref().map(str::as_bytes);
    let read = each(&answer, |properties| {
        let row = Row { properties, scope };
        let vhost = row.vhost()?;
        let within = wanted.is_none_or(|wanted| wanted == vhost);
        Some(if within { Some(read(&row)?) } else { None })
    })?;
    Ok(read.into_iter().flatten().collect())
}

/// The type of an exchange, `None` if there is no such exchange.
///
/// # Errors
/// When the node does not say.
pub fn exchange_type(
    broker: &mut Distribution,
    vhost: &str,
    exchange: &str,
) -> Result<Option<Text>, Failure> {
    let name: Vec<sent::Term> = vec![resource(vhost, "exchange", exchange)];
    let found = broker.answer("rabbit_exchange", "lookup", name)?;
    // {ok, {exchange, Name, Type, ...}}
    let record = found.tagged("ok").and_then(<[Term]>::first);
    let fields = record.and_then(|record| record.tagged("exchange"));
    Ok(fields.and_then(|fields| fields.get(1)).and_then(Term::text))
}

/// That there is such an exchange, and that it is a topic exchange.
///
/// # Errors
/// When it is not (65), or the node does not say.
pub fn require_topic_exchange(
    broker: &mut Distribution,
    vhost: &str,
    exchange: &str,
) -> Result<(), Failure> {
    let kind = exchange_type(broker, vhost, exchange)?;
    unless_topic(exchange, kind.as_deref()).map_err(|refusal| refusal.failure())
}

/// What the broker has against `pattern`, asked of the very function it uses itself.
///
/// # Errors
/// When the node does not say.
pub fn objection(broker: &mut Distribution, pattern: &str) -> Result<Option<String>, Failure> {
    let answer = broker.answer("re", "compile", vec![text(pattern)])?;
    Ok(words::objection_of_compiler(&answer))
}
