//! `--dry-run` of the commands that remove or replace something: what they would change, like a diff,
//! as `apply` shows it.

use crate::administration::{Administration, Holder, LimitsChange, Rule, Scope, Text, VhostTraits};
use crate::apply::change::{Change, What, removed};
use crate::apply::checks::objections;
use crate::output;
use crate::queues::Asked;
use crate::refusal::Refusal;
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;

/// Writes the lines of a diff; the exit status says whether there are any.
pub fn show(diff: &str) -> Result<Ending, Failure> {
    output::write(diff.as_bytes())?;
    let exit = if diff.is_empty() { Exit::Ok } else { Exit::No };
    Ok(exit.into())
}

fn lines(what: impl IntoIterator<Item = What>) -> String {
    what.into_iter().map(|what| Change { line: None, what }.diff()).collect()
}

/// What setting a rule would change; what the broker would refuse is refused.
pub fn set(broker: &mut dyn Administration, rule: &Rule<&str>) -> Result<String, Failure> {
    broker.require_user(&rule.user())?;
    broker.require_vhost(&rule.vhost())?;
    if let Some(exchange) = rule.exchange() {
        broker.require_topic_exchange(&rule.vhost(), &exchange)?;
    }
    let patterns = || rule.patterns().into_iter().map(|(_, pattern)| *pattern);
    let known = objections(broker, patterns()).map_err(|(_, failure)| failure)?;
    if let Some((pattern, why)) = patterns().find_map(|it| Some((it, known.get(it)?))) {
        return Err(Refusal::invalid_pattern(pattern, why).failure());
    }
    let scope =
        Scope { vhost: Some(rule.vhost().into_owned()), user: Some(rule.user().into_owned()) };
    let all = rules(broker, &scope)?;
    let before = all.into_iter().find(|before| before.subject() == rule.subject());
    let is_same = before.as_ref().is_some_and(|before| before.is(rule));
    Ok(lines((!is_same).then(|| What::Set { rule: rule.owned(), before })))
}

/// What removing rules within `scope` would change: those that are `meant`.
pub fn clear(
    broker: &mut dyn Administration,
    scope: &Scope,
    meant: impl Fn(&Rule<Text>) -> bool,
) -> Result<String, Failure> {
    if let Some(user) = &scope.user {
        broker.require_user(user)?;
    }
    if let Some(vhost) = &scope.vhost {
        broker.require_vhost(vhost)?;
    }
    Ok(lines(rules(broker, scope)?.into_iter().filter(meant).map(What::Clear)))
}

/// Permissions and topic permissions, sorted.
fn rules(broker: &mut dyn Administration, scope: &Scope) -> Result<Vec<Rule<Text>>, Failure> {
    let permissions = broker.list_permissions(scope)?.into_iter().map(Rule::Vhost);
    let topics = broker.list_topic_permissions(scope)?.into_iter().map(Rule::Topic);
    let mut rules: Vec<_> = permissions.chain(topics).collect();
    rules.sort_by_cached_key(Rule::subject);
    Ok(rules)
}

/// What `change` would change of the limits of a virtual host or user.
pub fn limits(
    broker: &mut dyn Administration,
    holder: Holder,
    name: &str,
    change: LimitsChange,
) -> Result<String, Failure> {
    match holder {
        Holder::Vhost => broker.require_vhost(name)?,
        Holder::User => broker.require_user(name)?,
    }
    let all = broker.list_limits(holder)?;
    let before = all.into_iter().find(|(it, _)| it == name.as_bytes());
    let before = before.map(|(_, limits)| limits).unwrap_or_default();
    let (name, after) = (name.to_owned(), change.of(before));
    Ok(lines([What::SetLimits { holder, name, before, after }]))
}

/// What else goes with a virtual host or user: its limits.
fn all_limits(
    broker: &mut dyn Administration,
    holder: Holder,
    name: &str,
) -> Result<String, Failure> {
    limits(broker, holder, name, LimitsChange([Some(None); 2]))
}

/// What giving a virtual host other traits would change.
pub fn set_vhost(
    broker: &mut dyn Administration,
    vhost: &str,
    before: VhostTraits,
    traits: VhostTraits,
) -> Result<String, Failure> {
    if before.default_queue_type != traits.default_queue_type {
        Refusal::FixedQueueType.unless(broker.changes_queue_type()?)?;
    }
    let is_same = before == traits;
    let vhost = vhost.to_owned();
    Ok(lines((!is_same).then_some(What::SetVhost { vhost, before, traits })))
}

/// What giving a user these tags would change.
pub fn set_tags(
    broker: &mut dyn Administration,
    user: &str,
    tags: &[&str],
) -> Result<String, Failure> {
    let before = tags_of(broker, user)?;
    let mut tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
    tags.sort();
    tags.dedup();
    let is_same = before.iter().eq(tags.iter().map(String::as_bytes));
    let user = user.to_owned();
    Ok(lines((!is_same).then_some(What::SetTags { user, before, tags })))
}

/// What goes with a user that exists.
pub fn delete_user(broker: &mut dyn Administration, user: &str) -> Result<String, Failure> {
    let tags = tags_of(broker, user)?;
    let limits = all_limits(broker, Holder::User, user)?;
    let scope = Scope { user: Some(user.to_owned()), ..Scope::default() };
    let rules = clear(broker, &scope, |_| true)?;
    let user = lines([What::DeleteUser { user: user.to_owned(), tags }]);
    Ok([user, limits, rules].concat())
}

/// What goes with a virtual host that exists: also its queues, with the number of their messages.
pub fn delete_vhost(broker: &mut dyn Administration, vhost: &str) -> Result<String, Failure> {
    let limits = all_limits(broker, Holder::Vhost, vhost)?;
    let scope = Scope { vhost: Some(vhost.to_owned()), ..Scope::default() };
    let rules = clear(broker, &scope, |_| true)?;
    let mut queues = broker.list_queues(vhost, Asked::default())?;
    queues.sort_by(|a, b| a.name.cmp(&b.name));
    let queues = queues.iter().map(|queue| {
        let messages = queue.messages.map_or("-".to_owned(), |messages| messages.to_string());
        removed("queue", &[vhost.as_bytes(), &queue.name, messages.as_bytes()])
    });
    Ok([removed("vhost", &[vhost.as_bytes()]), limits, rules].concat()
        + &queues.collect::<String>())
}

/// The tags of a user, sorted.
///
/// # Errors
/// There is no such user (67).
fn tags_of(broker: &mut dyn Administration, user: &str) -> Result<Vec<Text>, Failure> {
    let all = broker.list_users(false)?;
    let found = all.into_iter().find(|it| it.name == user.as_bytes());
    let mut tags = found.map(|it| it.tags).ok_or_else(|| Refusal::NoSuchUser.failure())?;
    tags.sort();
    Ok(tags)
}
