//! Topic permissions.

use super::{Scope, Text, Users, Vhosts, one_by_one};
use crate::refusal::unless_topic;
use rmq_common::failure::Failure;

/// The restrictions of routing keys on the broker's topic exchanges.
pub trait TopicPermissions: Vhosts + Users {
    /// Restricts the routing keys that a user may use with a topic exchange, replacing earlier
    /// restrictions there. An error (65) if the exchange does not exist (before 4.3, brokers accept
    /// that), has another type (all brokers accept that, without effect), or a pattern is refused.
    fn set_topic_permissions(&mut self, grant: TopicGrant<'_>) -> Result<(), Failure> {
        self.require_user(grant.user)?;
        self.require_vhost(grant.vhost)?;
        self.require_topic_exchange(grant.vhost, grant.exchange)?;
        self.put_topic_permissions(grant)
    }

    /// The same for a user and an exchange that exist.
    fn put_topic_permissions(&mut self, grant: TopicGrant<'_>) -> Result<(), Failure>;

    /// The same for many, as [`set_all_permissions`](super::Permissions::set_all_permissions).
    ///
    /// # Errors
    /// The position of one that was not made, or may not have been, and why.
    fn set_all_topic_permissions(
        &mut self,
        grants: &[TopicGrant<'_>],
        made: &mut dyn FnMut() -> bool,
    ) -> Result<(), (usize, Failure)> {
        one_by_one(grants, made, |grant| self.set_topic_permissions(*grant))
    }

    /// Removes a user's restrictions on `exchange` of `vhost`, or on all exchanges; not an error if
    /// none exist.
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

    /// The same for a user and a virtual host that exist.
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

    /// Checks that topic permissions have an effect on an exchange.
    fn require_topic_exchange(&mut self, vhost: &str, exchange: &str) -> Result<(), Failure> {
        let kind = self.exchange_type(vhost, exchange)?;
        unless_topic(exchange, kind.as_deref()).map_err(|refusal| refusal.failure())
    }
}

/// The two regular expressions of a topic permission, for routing keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TopicPatterns<T> {
    /// Keys that may be published with.
    pub write: T,
    /// Keys that may be bound with.
    pub read: T,
}

/// A user's restrictions on a topic exchange of a virtual host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TopicPermission<T> {
    pub vhost: T,
    pub user: T,
    pub exchange: T,
    pub patterns: TopicPatterns<T>,
}

/// The restrictions to set for a user on a topic exchange.
pub type TopicGrant<'a> = TopicPermission<&'a str>;
