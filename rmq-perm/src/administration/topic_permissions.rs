//! Topic permissions.

use super::{Scope, Text, Users, Vhosts, one_by_one};
use crate::refusal::unless_topic;
use rmq_common::failure::Failure;

/// What restricts routing keys at the broker's topic exchanges.
pub trait TopicPermissions: Vhosts + Users {
    /// Restricts which routing keys a user may use at a topic exchange, in place of what restricted
    /// it there. An exchange that does not exist (brokers before 4.3 accept it), one of another type
    /// (every broker accepts it, and nothing is restricted), and a pattern that the broker refuses
    /// are errors (65).
    fn set_topic_permissions(&mut self, grant: TopicGrant<'_>) -> Result<(), Failure> {
        self.require_user(grant.user)?;
        self.require_vhost(grant.vhost)?;
        self.require_topic_exchange(grant.vhost, grant.exchange)?;
        self.put_topic_permissions(grant)
    }

    /// The same of a user and an exchange that exist.
    fn put_topic_permissions(&mut self, grant: TopicGrant<'_>) -> Result<(), Failure>;

    /// The same of many, as
    /// [`set_all_permissions`](super::Permissions::set_all_permissions).
    ///
    /// # Errors
    /// The place of one that was not made, or perhaps not, and why.
    fn set_all_topic_permissions(
        &mut self,
        grants: &[TopicGrant<'_>],
        made: &mut dyn FnMut() -> bool,
    ) -> Result<(), (usize, Failure)> {
        one_by_one(grants, made, |grant| self.set_topic_permissions(*grant))
    }

    /// Removes the restrictions of a user at `exchange` of `vhost`, or at all of its exchanges; not an
    /// error if there are none.
    fn clear_topic_permissions(
        &mut self,
        user: &str,
        vhost: &str,
        exchange: Option<&str>,
    ) -> Result<(), Failure> {
        self.require_user(user)?;
        self.require_vhost(vhost)?;
        self.remove_topic_permissions(user, vhost, exchange)
    }

    /// The same of a user and a virtual host that exist.
    fn remove_topic_permissions(
        &mut self,
        user: &str,
        vhost: &str,
        exchange: Option<&str>,
    ) -> Result<(), Failure>;

    /// The topic permissions within `scope`.
    fn list_topic_permissions(
        &mut self,
        scope: &Scope,
    ) -> Result<Vec<TopicPermission<Text>>, Failure>;

    /// The type of an exchange of a virtual host that exists; `None` if there is no such exchange.
    fn exchange_type(&mut self, vhost: &str, exchange: &str) -> Result<Option<Text>, Failure>;

    /// Checks that topic permissions restrict something at an exchange.
    fn require_topic_exchange(&mut self, vhost: &str, exchange: &str) -> Result<(), Failure> {
        let kind = self.exchange_type(vhost, exchange)?;
        unless_topic(exchange, kind.as_deref()).map_err(|refusal| refusal.failure())
    }
}

/// The two regular expressions of a topic permission, over routing keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TopicPatterns<T> {
    /// Keys that may be published with.
    pub write: T,
    /// Keys that may be bound with.
    pub read: T,
}

/// What restricts a user at a topic exchange of a virtual host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TopicPermission<T> {
    pub vhost: T,
    pub user: T,
    pub exchange: T,
    pub patterns: TopicPatterns<T>,
}

/// What a user is to be restricted to at a topic exchange.
pub type TopicGrant<'a> = TopicPermission<&'a str>;
