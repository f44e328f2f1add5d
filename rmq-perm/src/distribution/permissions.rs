//! Permissions, and the broker's regular expressions.

use super::arguments::{acting_user, atom, list, map, resource, text, tuple};
use super::broker::{Distribution, USERS, broken};
use super::rows::rows;
use crate::administration::{
    Grant, Operation, Patterns, Permission, Permissions, Scope, Text, Users, Vhosts,
};
use crate::pattern::NO_PATTERN;
use crate::refusal::{Refusal, words};
use erl_dist::term as sent;
use rmq_common::failure::Failure;

impl Permissions for Distribution {
    fn set_permissions(&mut self, grant: Grant<'_>) -> Result<(), Failure> {
        self.change(USERS, "set_permissions", arguments(&grant))
    }

    fn set_all_permissions(
        &mut self,
        grants: &[Grant<'_>],
        made: &mut dyn FnMut() -> bool,
    ) -> Result<(), (usize, Failure)> {
        self.change_all(USERS, "set_permissions", grants.iter().map(arguments), made)
    }

    fn remove_permissions(&mut self, user: &str, vhost: &str) -> Result<(), Failure> {
        self.change(USERS, "clear_permissions", vec![text(user), text(vhost), acting_user()])
    }

    fn list_permissions(&mut self, scope: &Scope) -> Result<Vec<Permission<Text>>, Failure> {
        let functions = ["list_permissions", "list_vhost_permissions", "list_user_permissions"];
        rows(self, scope, functions, |row| {
            let (configure, write, read) =
                (row.text("configure")?, row.text("write")?, row.text("read")?);
            let patterns = Patterns { configure, write, read };
            Some(Permission { vhost: row.vhost()?, user: row.user()?, patterns })
        })
    }

    fn is_allowed(
        &mut self,
        user: &str,
        vhost: &str,
        operation: Operation,
        name: &str,
    ) -> Result<bool, Failure> {
        self.require_user(user)?;
        self.require_vhost(vhost)?;
        let user = tuple([atom("auth_user"), text(user), list(vec![]), atom("none")]);
        let resource = resource(vhost, "queue", name);
        let arguments = vec![user, resource, atom(operation.name()), map([])];
        Ok(self.ask(USERS, "check_resource_access", arguments)?.is_atom("true"))
    }

    /// Asked of the very function that the broker uses itself, and of the broker if a pattern is long.
    fn objections_to(
        &mut self,
        patterns: &[&str],
    ) -> Result<Vec<Option<String>>, (usize, Failure)> {
        let each = patterns.iter().enumerate();
        each.map(|(place, pattern)| {
            let result = self.answer("re", "compile", vec![text(pattern)]);
            let result = result.map_err(|failure| (place, failure))?;
            match words::objection_of_compiler(&result) {
                None if pattern.len() > LONG => too_long(self, pattern).map_err(|it| (place, it)),
                objection => Ok(objection),
            }
        })
        .collect()
    }
}

/// RabbitMQ 4.3 takes no pattern of more than 1000 bytes, which compiling it does not show.
const LONG: usize = 512;

/// What the broker says against a pattern that compiles. It is set together with one that no broker
/// takes, of a user without a name, and so is only checked.
fn too_long(broker: &mut Distribution, pattern: &str) -> Result<Option<String>, Failure> {
    let patterns = Patterns { configure: pattern, write: NO_PATTERN, read: NO_PATTERN };
    let grant = Permission { vhost: "", user: "", patterns };
    let result = broker.answer(USERS, "set_permissions", arguments(&grant))?;
    match words::of_term(&result) {
        Some(Refusal::InvalidPattern { pattern, .. }) if pattern == NO_PATTERN.as_bytes() => {
            Ok(None)
        }
        Some(Refusal::InvalidPattern { objection, .. }) => Ok(Some(objection)),
        Some(refusal) => Err(refusal.failure()),
        None => Err(broken(format!("unexpected answer: {result}"))),
    }
}

/// What `set_permissions` takes.
fn arguments(grant: &Grant<'_>) -> Vec<sent::Term> {
    let Grant { user, vhost, patterns: Patterns { configure, write, read } } = *grant;
    let texts = [user, vhost, configure, write, read].map(text);
    texts.into_iter().chain([acting_user()]).collect()
}
