//! Permissions on virtual hosts.

use super::{Text, Users, Vhosts};
use rmq_common::failure::Failure;

/// The permissions on the broker's virtual hosts, and the regular expressions in them.
pub trait Permissions: Vhosts + Users {
    /// Gives a user exactly these permissions, replacing those it had on the virtual host. A
    /// pattern that the broker refuses is an error (65).
    fn set_permissions(&mut self, grant: Grant<'_>) -> Result<(), Failure>;

    /// The same for many, in any order; several at a time if the transport allows it. `made` is
    /// called for each that was made; once it returns false, no more are started.
    ///
    /// # Errors
    /// The position of one that was not made, or may not have been, and why.
    fn set_all_permissions(
        &mut self,
        grants: &[Grant<'_>],
        made: &mut dyn FnMut() -> bool,
    ) -> Result<(), (usize, Failure)>;

    /// Removes all permissions of a user on `vhost`; not an error if there are none.
    fn clear_permissions(&mut self, user: &str, vhost: &str) -> Result<(), Failure> {
        self.require_user(user)?;
        self.require_vhost(vhost)?;
        self.remove_permissions(user, vhost)
    }

    /// The same for a user and a virtual host that exist.
    fn remove_permissions(&mut self, user: &str, vhost: &str) -> Result<(), Failure>;

    /// The permissions within `scope`.
    fn list_permissions(&mut self, scope: &Scope) -> Result<Vec<Permission<Text>>, Failure>;

    /// Whether the permissions of `user` on `vhost` allow `operation` on the queue or exchange
    /// `name`; the default exchange is `amq.default`.
    fn is_allowed(
        &mut self,
        user: &str,
        vhost: &str,
        operation: Operation,
        name: &str,
    ) -> Result<bool, Failure>;

    /// The broker's objection to each of `patterns` as a regular expression, in order; `None` if it
    /// accepts the pattern. Changes nothing.
    ///
    /// # Errors
    /// The position of one about which the broker did not answer, and why.
    fn objections_to(&mut self, patterns: &[&str])
    -> Result<Vec<Option<String>>, (usize, Failure)>;
}

/// Which permissions to list; all if both are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Only on this virtual host.
    pub vhost: Option<String>,
    /// Only of this user.
    pub user: Option<String>,
}

impl Scope {
    /// Whether a row about `vhost` is within it.
    pub fn has_vhost(&self, vhost: &[u8]) -> bool {
        self.vhost.as_ref().is_none_or(|wanted| wanted.as_bytes() == vhost)
    }
}

/// The operation that a permission allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// To declare and delete.
    Configure,
    /// To publish to.
    Write,
    /// To consume from.
    Read,
}

impl Operation {
    /// Its name for the broker.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Configure => "configure",
            Operation::Write => "write",
            Operation::Read => "read",
        }
    }
}

/// The three regular expressions of a permission, in the order in which RabbitMQ has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Patterns<T> {
    /// Names that may be declared and deleted.
    pub configure: T,
    /// Names that may be published to.
    pub write: T,
    /// Names that may be consumed from.
    pub read: T,
}

/// A user's permissions on a virtual host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission<T> {
    pub vhost: T,
    pub user: T,
    pub patterns: Patterns<T>,
}

/// The permissions to give to a user on a virtual host.
pub type Grant<'a> = Permission<&'a str>;
