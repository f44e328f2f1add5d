//! What can be asked of a broker, whichever way leads to it. The subcommands know this interface
//! alone; Erlang distribution is one way behind it.
//!
//! An error of these functions is the cause only (`no such user`); the subcommand adds what it was
//! about to do.

mod member;
pub mod text;

pub use member::{Listener, Member, NodeState};
pub use text::Text;

use crate::password_hash::PasswordHash;
use crate::queues::Queue;
use rmq_common::failure::Failure;
use rmq_common::secret::Secret;

/// The broker's administration.
///
/// Unless it says otherwise, a function that names a user or a virtual host ends with 67 when there
/// is no such user, and else with 65 when there is no such virtual host, whatever the broker's
/// release does by itself. Then, and after any other refusal, nothing has been changed. When no
/// answer comes (75), whether something was changed is unknown.
pub trait Administration {
    /// Adds a virtual host without permissions; not an error if it exists.
    fn add_vhost(&mut self, vhost: &str) -> Result<Added, Failure>;

    /// Deletes a virtual host, with all queues, messages and permissions on it; that it does not
    /// exist is no error.
    fn delete_vhost(&mut self, vhost: &str) -> Result<Deleted, Failure>;

    /// Whether the broker goes on with what it has begun if the connection ends. The management
    /// API's process, which deletes a virtual host queue by queue, ends with its connection.
    fn goes_on_alone(&self) -> bool;

    /// The names of the virtual hosts.
    fn list_vhosts(&mut self) -> Result<Vec<Text>, Failure>;

    /// Adds a user with these tags and without permissions; that it exists already is an error (65).
    fn add_user(&mut self, user: &str, password: &Password, tags: &[&str]) -> Result<(), Failure>;

    /// Makes a user have exactly this password and these tags, whether it exists or not; permissions
    /// stay.
    fn put_user(
        &mut self,
        user: &str,
        password: &Password,
        tags: &[&str],
    ) -> Result<Added, Failure>;

    /// Gives a user another password; tags and permissions stay.
    fn change_password(&mut self, user: &str, password: &Password) -> Result<(), Failure>;

    /// Deletes a user, with all permissions; that it does not exist is no error.
    fn delete_user(&mut self, user: &str) -> Result<Deleted, Failure>;

    /// Gives a user exactly these tags, in place of those the user had.
    fn set_tags(&mut self, user: &str, tags: &[&str]) -> Result<(), Failure>;

    /// The users, with the hashes of their passwords if `hashes`.
    fn list_users(&mut self, hashes: bool) -> Result<Vec<User>, Failure>;

    /// The user that the broker knows us as, if it knows us as one.
    fn own_user(&self) -> Option<&str>;

    /// Gives `user` exactly these permissions on `vhost`, in place of those it had. A pattern that
    /// the broker refuses is an error (65).
    fn set_permissions(
        &mut self,
        user: &str,
        vhost: &str,
        patterns: Patterns<&str>,
    ) -> Result<(), Failure>;

    /// The same of many, in any order; several at a time where the way to the broker allows it.
    /// `made` is called for each that was made; once it says no, no more are begun.
    ///
    /// # Errors
    /// The place of one that was not made, or perhaps not, and why.
    fn set_all_permissions(
        &mut self,
        grants: &[Grant<'_>],
        made: &mut dyn FnMut() -> bool,
    ) -> Result<(), (usize, Failure)> {
        for (place, Grant { user, vhost, patterns }) in grants.iter().enumerate() {
            self.set_permissions(user, vhost, *patterns).map_err(|failure| (place, failure))?;
            if !made() {
                break;
            }
        }
        Ok(())
    }

    /// Takes all permissions on `vhost` from `user`; that there are none is no error.
    fn clear_permissions(&mut self, user: &str, vhost: &str) -> Result<(), Failure>;

    /// The permissions within `scope`.
    fn list_permissions(&mut self, scope: &Scope) -> Result<Vec<Permission>, Failure>;

    /// Restricts which routing keys `user` may use at a topic exchange of `vhost`, in place of what
    /// restricted it there. That there is no such exchange (brokers before 4.3 do not mind), that it
    /// is not a topic exchange (no broker minds, and nothing is restricted), or a pattern that the
    /// broker refuses, is an error (65).
    fn set_topic_permissions(
        &mut self,
        user: &str,
        vhost: &str,
        exchange: &str,
        patterns: TopicPatterns<&str>,
    ) -> Result<(), Failure>;

    /// The same of many, as [`set_all_permissions`](Self::set_all_permissions).
    ///
    /// # Errors
    /// The place of one that was not made, or perhaps not, and why.
    fn set_all_topic_permissions(
        &mut self,
        grants: &[TopicGrant<'_>],
        made: &mut dyn FnMut() -> bool,
    ) -> Result<(), (usize, Failure)> {
        for (place, TopicGrant { user, vhost, exchange, patterns }) in grants.iter().enumerate() {
            self.set_topic_permissions(user, vhost, exchange, *patterns)
                .map_err(|failure| (place, failure))?;
            if !made() {
                break;
            }
        }
        Ok(())
    }

    /// Ends what restricts `user` at `exchange` of `vhost`, or at all of its exchanges; that
    /// nothing does is no error.
    fn clear_topic_permissions(
        &mut self,
        user: &str,
        vhost: &str,
        exchange: Option<&str>,
    ) -> Result<(), Failure>;

    /// The type of an exchange of a virtual host that exists; `None` if there is no such exchange.
    fn exchange_type(&mut self, vhost: &str, exchange: &str) -> Result<Option<Text>, Failure>;

    /// The topic permissions within `scope`.
    fn list_topic_permissions(&mut self, scope: &Scope) -> Result<Vec<TopicPermission>, Failure>;

    /// Whether the permissions of `user` on `vhost` allow `operation` on the queue or exchange
    /// `name`; the default exchange is `amq.default`.
    fn is_allowed(
        &mut self,
        user: &str,
        vhost: &str,
        operation: Operation,
        name: &str,
    ) -> Result<bool, Failure>;

    /// What the broker has against `pattern` as a regular expression; `None` if it takes it.
    /// Changes nothing.
    fn objection_to(&mut self, pattern: &str) -> Result<Option<String>, Failure>;

    /// The same of many, in their order; several at a time where the transport allows it.
    ///
    /// # Errors
    /// The place of one about which the broker did not say, and why.
    fn objections_to(
        &mut self,
        patterns: &[&str],
    ) -> Result<Vec<Option<String>>, (usize, Failure)> {
        let each = patterns.iter().enumerate();
        each.map(|(place, pattern)| self.objection_to(pattern).map_err(|why| (place, why)))
            .collect()
    }

    /// The members of the cluster.
    fn cluster_status(&mut self) -> Result<Vec<Member>, Failure>;

    /// All queues of `vhost`, wherever they are led, and those that are down; with what they were
    /// declared with, if `declared`.
    fn list_queues(&mut self, vhost: &str, declared: bool) -> Result<Vec<Queue>, Failure>;
}

/// What a user is to log in with.
#[derive(Debug)]
pub enum Password {
    /// The password itself.
    Clear(Secret),
    /// Its hash.
    Hashed(PasswordHash),
    /// None: the user cannot log in with a password.
    None,
}

/// Of whom and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// On this virtual host alone.
    pub vhost: Option<String>,
    /// Of this user alone.
    pub user: Option<String>,
}

/// What a permission is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// To declare and delete.
    Configure,
    /// To publish to.
    Write,
    /// To consume from.
    Read,
}

/// What came of adding something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is new.
    New,
    /// It was there before.
    Existed,
}

/// What came of deleting something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// It is gone now.
    Now,
    /// It did not exist.
    Before,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user's name.
    pub name: Text,
    /// What the user is, such as `administrator`.
    pub tags: Vec<Text>,
    /// The hash of the password in Base64, empty if the user has none; only if it was asked for.
    pub hash: Option<Secret>,
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

/// What a user is to be allowed on a virtual host.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// The user's name.
    pub user: &'a str,
    /// The virtual host's name.
    pub vhost: &'a str,
    /// To which names.
    pub patterns: Patterns<&'a str>,
}

/// What a user may do on a virtual host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// The virtual host's name.
    pub vhost: Text,
    /// The user's name.
    pub user: Text,
    /// To which names.
    pub patterns: Patterns<Text>,
}

/// The two regular expressions of a topic permission, over routing keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TopicPatterns<T> {
    /// Keys that may be published with.
    pub write: T,
    /// Keys that may be bound with.
    pub read: T,
}

/// What is to restrict a user at a topic exchange of a virtual host.
#[derive(Clone, Copy, Debug)]
pub struct TopicGrant<'a> {
    /// The user's name.
    pub user: &'a str,
    /// The virtual host's name.
    pub vhost: &'a str,
    /// The exchange's name.
    pub exchange: &'a str,
    /// To which routing keys.
    pub patterns: TopicPatterns<&'a str>,
}

/// What restricts a user at a topic exchange.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TopicPermission {
    /// The virtual host's name.
    pub vhost: Text,
    /// The user's name.
    pub user: Text,
    /// The exchange's name.
    pub exchange: Text,
    /// To which routing keys.
    pub patterns: TopicPatterns<Text>,
}
