//! Permissions, and the broker's regular expressions.

use super::answer::Answer;
use super::broker::{Changed, Http};
use super::imports::{self, Refused};
use super::json::{broken, each, text};
use super::pattern;
use super::refusal;
use crate::administration::{Grant, Operation, Patterns, Permission, Scope, Text};
use crate::refusal::Refusal;
use crate::unanswered::Effect;
use rmq_common::failure::Failure;
use serde_json::{Value, json};
use ureq::http::Method;

/// Gives `user` exactly these permissions on `vhost`.
///
/// # Errors
/// When there is no such user (67) or virtual host (65), or the broker refuses a pattern (65).
pub fn set(
    broker: &Http,
    user: &str,
    vhost: &str,
    patterns: Patterns<&str>,
) -> Result<(), Failure> {
    match broker.put(&["permissions", vhost, user], &body(patterns))? {
        Changed::Created | Changed::Done => Ok(()),
        Changed::Missing => Err(why_missing(broker, user, vhost, patterns)?),
    }
}

/// The same of many, in any order: by imports where they are many, else over several connections.
/// `made` hears of each, and says whether to go on.
///
/// # Errors
/// Which was not made, or perhaps not, and why.
pub fn set_all(
    broker: &Http,
    grants: &[Grant<'_>],
    made: &mut dyn FnMut() -> bool,
) -> Result<(), (usize, Failure)> {
    let entry = |grant: &Grant<'_>| {
        let Patterns { configure, write, read } = grant.patterns;
        json!({"user": grant.user, "vhost": grant.vhost, "configure": configure, "write": write,
            "read": read})
    };
    let entries: Vec<Value> = grants.iter().map(entry).collect();
    imports::set_all(broker, "permissions", &entries, made, &mut |range, refused, made| {
        let first = range.start;
        let grants = grants.get(range).unwrap_or_default();
        put_each(broker, grants, refused, made).map_err(|(place, why)| (first + place, why))
    })
}

/// The same over several connections, and whether to go on.
fn put_each(
    broker: &Http,
    grants: &[Grant<'_>],
    past: Refused,
    made: &mut dyn FnMut() -> bool,
) -> Result<bool, (usize, Failure)> {
    let requests: Vec<_> = grants
        .iter()
        .map(|grant| (path_of(grant.vhost, grant.user), body(grant.patterns)))
        .collect();
    let passes = past == Refused::Passes;
    let (mut go_on, mut first) = (true, None::<(usize, Option<Failure>)>);
    broker.send_all(Effect::Changes, &requests, &mut |place, answer| {
        let why = match broker.changed(&answer) {
            Ok(Changed::Created | Changed::Done) => {
                go_on &= made();
                return passes || go_on;
            }
            Ok(Changed::Missing) => None,
            Err(failure) => Some(failure),
        };
        if first.as_ref().is_none_or(|(first, _)| place < *first) {
            first = Some((place, why));
        }
        passes
    })?;
    match first {
        None => Ok(go_on),
        Some((place, Some(failure))) => Err((place, failure)),
        Some((place, None)) => {
            let why =
                grants.get(place).map(|it| why_missing(broker, it.user, it.vhost, it.patterns));
            let why = why.unwrap_or_else(|| Err(Refusal::NoSuchVhost.failure()));
            Err((place, why.unwrap_or_else(|failure| failure)))
        }
    }
}

fn path_of<'a>(vhost: &'a str, user: &'a str) -> Vec<&'a str> {
    vec!["permissions", vhost, user]
}

/// The API says neither whether the user or the virtual host is missing, nor then whether it takes
/// the patterns, which the broker itself looks at first.
fn why_missing(
    broker: &Http,
    user: &str,
    vhost: &str,
    patterns: Patterns<&str>,
) -> Result<Failure, Failure> {
    for pattern in [patterns.configure, patterns.write, patterns.read] {
        if let Some(why) = objection(broker, pattern)? {
            return Ok(Refusal::invalid_pattern(pattern, &why).failure());
        }
    }
    broker.require_user(user)?;
    broker.require_vhost(vhost)?;
    Ok(Refusal::NoSuchUserOrVhost.failure())
}

fn body(patterns: Patterns<&str>) -> Value {
    let Patterns { configure, write, read } = patterns;
    json!({"configure": configure, "write": write, "read": read})
}

/// Takes all permissions on `vhost` from `user`.
///
/// # Errors
/// When there is no such user (67) or virtual host (65).
pub fn clear(broker: &Http, user: &str, vhost: &str) -> Result<(), Failure> {
    broker.require_user(user)?;
    broker.require_vhost(vhost)?;
    // That there are none, which it says, too, is as good.
    broker.delete(&["permissions", vhost, user]).map(drop)
}

/// The permissions within `scope`.
///
/// # Errors
/// When there is no such user (67) or virtual host (65), or the broker does not tell.
pub fn list(broker: &Http, scope: &Scope) -> Result<Vec<Permission>, Failure> {
    rows(broker, scope, "permissions", |row| {
        let patterns = patterns(row)?;
        Some(Permission { vhost: text(row, "vhost")?, user: text(row, "user")?, patterns })
    })
}

fn patterns(row: &Value) -> Option<Patterns<Text>> {
    let (configure, write, read) =
        (text(row, "configure")?, text(row, "write")?, text(row, "read")?);
    Some(Patterns { configure, write, read })
}

/// The rows of a listing of `kind` within `scope`, each as `read` reads it.
///
/// # Errors
/// As [`list`].
pub fn rows<T>(
    broker: &Http,
    scope: &Scope,
    kind: &str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Vec<T>, Failure> {
    let answer = match scope {
        Scope { user: Some(user), .. } => {
            let found = broker.get(&["users", user, kind], "")?;
            found.ok_or_else(|| Refusal::NoSuchUser.failure())?
        }
        Scope { vhost: Some(vhost), .. } => {
            let found = broker.get(&["vhosts", vhost, kind], "")?;
            let found = found.ok_or_else(|| Refusal::NoSuchVhost.failure())?;
            return each(&found, read);
        }
        Scope { user: None, vhost: None } => broker.expect(&[kind], "")?,
    };
    if let Some(vhost) = &scope.vhost {
        broker.require_vhost(vhost)?;
    }
    let wanted = scope.vhost.as_deref();
    let read = each(&answer, |row| {
        let within = wanted.is_none_or(|wanted| row["vhost"] == wanted);
        Some(if within { Some(read(row)?) } else { None })
    })?;
    Ok(read.into_iter().flatten().collect())
}

/// Whether the permissions of `user` on `vhost` allow `operation` on `name`.
///
/// # Errors
/// When there is no such user (67) or virtual host (65), or the broker does not tell.
pub fn is_allowed(
    broker: &Http,
    user: &str,
    vhost: &str,
    operation: Operation,
    name: &str,
) -> Result<bool, Failure> {
    let Some(row) = broker.get(&["permissions", vhost, user], "")? else {
        broker.require_user(user)?;
        broker.require_vhost(vhost)?;
        return Ok(false);
    };
    let key = match operation {
        Operation::Configure => "configure",
        Operation::Write => "write",
        Operation::Read => "read",
    };
    let pattern = row.get(key).and_then(Value::as_str);
    let pattern = pattern.ok_or_else(|| broken(format!("a permission without {key}: {row}")))?;
    Ok(pattern::allows(pattern, name))
}

/// What no broker takes for a regular expression. It may be seen in the broker's log, which then
/// says that setting permissions has failed.
const NO_PATTERN: &str = "(rmq-perm only checks a pattern";

/// What the broker has against `pattern`.
///
/// Nothing in the API would only look at a pattern. So a permission is put which holds one that no
/// broker takes behind the pattern in question: the broker looks at them in their order before it
/// changes anything, and says which it refuses.
///
/// # Errors
/// When the broker does not say.
pub fn objection(broker: &Http, pattern: &str) -> Result<Option<String>, Failure> {
    let (vhost, user) = witness(broker)?;
    let segments = path_of(vhost, user);
    let answer = broker.send(Effect::Reads, Method::PUT, &segments, "", Some(&probe(pattern)))?;
    objection_in(broker, pattern, &answer)
}

/// The same of many, over several connections, in their order.
///
/// # Errors
/// Of which the broker does not say, and why.
pub fn objections(
    broker: &Http,
    patterns: &[&str],
) -> Result<Vec<Option<String>>, (usize, Failure)> {
    let (vhost, user) = witness(broker).map_err(|failure| (0, failure))?;
    // Two at a time: nearly always both are good.
    let pairs: Vec<&[&str]> = patterns.chunks(2).collect();
    let request = |pair: &&[&str]| {
        let configure = pair.first().copied().unwrap_or_default();
        let write = pair.get(1).copied().unwrap_or(NO_PATTERN);
        (path_of(vhost, user), body(Patterns { configure, write, read: NO_PATTERN }))
    };
    let requests: Vec<_> = pairs.iter().map(request).collect();
    let mut refused = Vec::new();
    let mut failed = None;
    broker
        .send_all(Effect::Reads, &requests, &mut |place, answer| {
            match refusal::invalid_pattern(&answer) {
                Some((pattern, _)) if pattern == NO_PATTERN.as_bytes() => {}
                Some(_) => refused.extend([2 * place, 2 * place + 1]),
                None => {
                    failed.get_or_insert((2 * place, broker.refusal(&answer, Effect::Reads)));
                }
            }
            failed.is_none()
        })
        .map_err(|(place, failure)| (2 * place, failure))?;
    if let Some(failed) = failed {
        return Err(failed);
    }
    let mut objections = vec![None; patterns.len()];
    for place in refused {
        if let (Some(pattern), Some(found)) = (patterns.get(place), objections.get_mut(place)) {
            *found = objection(broker, pattern).map_err(|failure| (place, failure))?;
        }
    }
    Ok(objections)
}

/// A virtual host and a user that are there.
fn witness(broker: &Http) -> Result<(&str, &str), Failure> {
    let (vhost, user) = match broker.witness.get() {
        Some(witness) => witness,
        None => {
            let found = (one_of(broker, "vhosts", "/")?, one_of(broker, "users", &broker.user)?);
            broker.witness.get_or_init(|| found)
        }
    };
    Ok((vhost, user))
}

fn probe(pattern: &str) -> Value {
    body(Patterns { configure: pattern, write: NO_PATTERN, read: NO_PATTERN })
}

fn objection_in(broker: &Http, pattern: &str, answer: &Answer) -> Result<Option<String>, Failure> {
    match refusal::invalid_pattern(answer) {
        Some((refused, why)) if refused == pattern.as_bytes() => Ok(Some(why)),
        Some((refused, _)) if refused == NO_PATTERN.as_bytes() => Ok(None),
        _ => Err(broker.refusal(answer, Effect::Reads)),
    }
}

/// The name of one of those that are there: `likely`, which nobody deletes meanwhile, if it is.
fn one_of(broker: &Http, kind: &str, likely: &str) -> Result<String, Failure> {
    let all = broker.expect(&[kind], "?columns=name")?;
    let names = || all.as_array().into_iter().flatten().filter_map(|one| one["name"].as_str());
    let name = names().find(|name| *name == likely).or_else(|| names().next());
    name.map(str::to_owned).ok_or_else(|| broken(format!("the broker has no {kind}")))
}
