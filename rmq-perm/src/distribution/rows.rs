//! Permissions of either kind in the form in which the broker lists them.

use super::arguments::text;
use super::broker::{Distribution, USERS, each};
use crate::administration::{Scope, Text, Users, Vhosts};
use crate::term::Term;
use rmq_common::failure::Failure;

/// A row of a listing, without the user or the virtual host by which the listing was requested.
pub struct Row<'a> {
    properties: &'a Term,
    scope: &'a Scope,
}

impl Row<'_> {
    pub fn text(&self, key: &str) -> Option<Text> {
        self.properties.property(key)?.text()
    }

    pub fn vhost(&self) -> Option<Text> {
        self.text("vhost").or_else(|| self.scope.vhost.clone().map(String::into_bytes))
    }

    pub fn user(&self) -> Option<Text> {
        self.text("user").or_else(|| self.scope.user.clone().map(String::into_bytes))
    }
}

/// The rows within `scope`, each parsed by `read`.
pub fn rows<T>(
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
    let read = each(&answer, |properties| {
        let row = Row { properties, scope };
        Some(if scope.has_vhost(&row.vhost()?) { Some(read(&row)?) } else { None })
    })?;
    Ok(read.into_iter().flatten().collect())
}
