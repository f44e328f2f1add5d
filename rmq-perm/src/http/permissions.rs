//! Permissions.

use super::broker::{Changed, Http};
use super::imports::{self, Refused};
use super::json::{broken, each, text};
use super::permission_request::{body, path_of};
use super::{objections, pattern};
use crate::administration::{Grant, Operation, Patterns, Permission, Permissions, Scope, Text};
use crate::refusal::Refusal;
use crate::unanswered::Effect;
use rmq_common::failure::Failure;
use serde_json::{Value, json};

impl Permissions for Http {
    fn set_permissions(&mut self, grant: Grant<'_>) -> Result<(), Failure> {
        match self.put(&path_of(grant.vhost, grant.user), &body(grant.patterns))? {
            Changed::Created | Changed::Done => Ok(()),
            Changed::Missing => Err(why_missing(self, grant)?),
        }
    }

    /// By imports if they are many, otherwise over several connections.
    fn set_all_permissions(
        &mut self,
        grants: &[Grant<'_>],
        made: &mut dyn FnMut() -> bool,
    ) -> Result<(), (usize, Failure)> {
        let entry = |grant: &Grant<'_>| {
            let Patterns { configure, write, read } = grant.patterns;
            json!({"user": grant.user, "vhost": grant.vhost, "configure": configure,
                "write": write, "read": read})
        };
        let entries: Vec<Value> = grants.iter().map(entry).collect();
        imports::set_all(self, "permissions", &entries, made, &mut |range, refused, made| {
            let first = range.start;
            let grants = grants.get(range).unwrap_or_default();
            put_each(self, grants, refused, made).map_err(|(place, why)| (first + place, why))
        })
    }

    fn remove_permissions(&mut self, user: &str, vhost: &str) -> Result<(), Failure> {
        // If there are none, the API reports that, which is just as good.
        self.delete(&path_of(vhost, user)).map(drop)
    }

    fn list_permissions(&mut self, scope: &Scope) -> Result<Vec<Permission<Text>>, Failure> {
        rows(self, scope, "permissions", |row| {
            let (configure, write, read) =
                (text(row, "configure")?, text(row, "write")?, text(row, "read")?);
            let patterns = Patterns { configure, write, read };
            Some(Permission { vhost: text(row, "vhost")?, user: text(row, "user")?, patterns })
        })
    }

    fn is_allowed(
        &mut self,
        user: &str,
        vhost: &str,
        operation: Operation,
        name: &str,
    ) -> Result<bool, Failure> {
        let Some(row) = self.get(&path_of(vhost, user), "")? else {
            Refusal::NoSuchUser.unless(self.has_user(user)?)?;
            Refusal::NoSuchVhost.unless(self.has_vhost(vhost)?)?;
            return Ok(false);
        };
        let key = operation.name();
        let pattern = row.get(key).and_then(Value::as_str);
        let pattern =
            pattern.ok_or_else(|| broken(format!("a permission without {key}: {row}")))?;
        Ok(pattern::allows(pattern, name))
    }

    fn objections_to(
        &mut self,
        patterns: &[&str],
    ) -> Result<Vec<Option<String>>, (usize, Failure)> {
        objections::to_each(self, patterns)
    }
}

/// Sets each over several connections, and returns whether to continue.
fn put_each(
    broker: &Http,
    grants: &[Grant<'_>],
    past: Refused,
    made: &mut dyn FnMut() -> bool,
) -> Result<bool, (usize, Failure)> {
    let requests: Vec<_> = grants
        .iter()
        .map(|grant| (path_of(grant.vhost, grant.user).to_vec(), body(grant.patterns)))
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
            let why = grants.get(place).map(|grant| why_missing(broker, *grant));
            let why = why.unwrap_or_else(|| Err(Refusal::NoSuchVhost.failure()));
            Err((place, why.unwrap_or_else(|failure| failure)))
        }
    }
}

/// The API says neither whether the user or the virtual host is missing nor, in that case, whether
/// it accepts the patterns, which the broker itself checks first.
fn why_missing(broker: &Http, grant: Grant<'_>) -> Result<Failure, Failure> {
    let Grant { user, vhost, patterns } = grant;
    for pattern in [patterns.configure, patterns.write, patterns.read] {
        if let Some(why) = objections::to(broker, pattern)? {
            return Ok(Refusal::invalid_pattern(pattern, &why).failure());
        }
    }
    Refusal::NoSuchUser.unless(broker.has_user(user)?)?;
    Refusal::NoSuchVhost.unless(broker.has_vhost(vhost)?)?;
    Ok(Refusal::NoSuchUserOrVhost.failure())
}

/// The rows of a listing of `kind` within `scope`, each parsed by `read`.
pub fn rows<T>(
    broker: &Http,
    scope: &Scope,
    kind: &str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Vec<T>, Failure> {
    let found = match scope {
        Scope { user: Some(user), .. } => {
            let found = broker.get(&["users", user, kind], "")?;
            Refusal::NoSuchUser.unless(found.is_some())?;
            if let Some(vhost) = &scope.vhost {
                Refusal::NoSuchVhost.unless(broker.has_vhost(vhost)?)?;
            }
            found
        }
        Scope { vhost: Some(vhost), .. } => {
            let found = broker.get(&["vhosts", vhost, kind], "")?;
            Refusal::NoSuchVhost.unless(found.is_some())?;
            found
        }
        Scope { user: None, vhost: None } => Some(broker.expect(&[kind], "")?),
    };
    let read = each(&found.unwrap_or_default(), |row| {
        let vhost = text(row, "vhost")?;
        Some(if scope.has_vhost(&vhost) { Some(read(row)?) } else { None })
    })?;
    Ok(read.into_iter().flatten().collect())
}
