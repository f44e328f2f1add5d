//! What the broker has.

use crate::administration::{
    Administration, Patterns, Permission, Scope, Text, TopicPatterns, TopicPermission, User,
};
use rmq_common::failure::Failure;
use std::collections::{BTreeMap, BTreeSet};

/// Virtual hosts, users and permissions, all there are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The virtual hosts.
    pub vhosts: BTreeSet<Text>,
    /// The users with their tags, sorted.
    pub users: BTreeMap<Text, Vec<Text>>,
    /// By virtual host and user.
    pub permissions: BTreeMap<(Text, Text), Patterns<Text>>,
    /// By virtual host, user and exchange.
    pub topics: BTreeMap<(Text, Text, Text), TopicPatterns<Text>>,
}

impl State {
    /// Asks the broker.
    ///
    /// # Errors
    /// When it does not say.
    pub fn read(broker: &mut dyn Administration) -> Result<State, Failure> {
        let context = |what: &'static str| move |failure: Failure| failure.context(what);
        let vhosts = broker.list_vhosts().map_err(context("list vhosts"))?;
        let users = broker.list_users().map_err(context("list users"))?;
        let all = Scope::default();
        let permissions = broker.list_permissions(&all).map_err(context("list permissions"))?;
        let topics =
            broker.list_topic_permissions(&all).map_err(context("list topic permissions"))?;
        let users = users.into_iter().map(|User { name, mut tags }| {
            tags.sort();
            (name, tags)
        });
        let permissions = permissions
            .into_iter()
            .map(|Permission { vhost, user, patterns }| ((vhost, user), patterns));
        let topics = topics.into_iter().map(|topic| {
            let TopicPermission { vhost, user, exchange, patterns } = topic;
            ((vhost, user, exchange), patterns)
        });
        Ok(State {
            vhosts: vhosts.into_iter().collect(),
            users: users.collect(),
            permissions: permissions.collect(),
            topics: topics.collect(),
        })
    }
}
