//! The present state of the broker.

use crate::administration::{
    Administration, Holder, Limited, Rule, Scope, Subject, Text, User, VhostTraits,
};
use rmq_common::failure::Failure;
use rmq_common::secret::Secret;
use std::collections::BTreeMap;

/// All virtual hosts, users and permissions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub vhosts: BTreeMap<Text, VhostTraits>,
    pub users: BTreeMap<Text, Known>,
    pub rules: BTreeMap<Subject, Rule<Text>>,
    /// The existing limits; only if requested.
    pub limits: BTreeMap<(Holder, Text), Limited>,
}

/// Optional parts.
#[derive(Clone, Copy, Debug)]
pub struct More {
    /// The hashes of passwords.
    pub hashes: bool,
    pub limits: bool,
}

/// What the broker knows about a user.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// The tags, sorted.
    pub tags: Vec<Text>,
    /// The hash of the password in Base64, empty if there is none; only if requested.
    pub hash: Option<Secret>,
}

impl State {
    /// Reads the state from the broker.
    pub fn read(broker: &mut dyn Administration, more: More) -> Result<State, Failure> {
        let context = |what: &'static str| move |failure: Failure| failure.context(what);
        let vhosts = broker.describe_vhosts().map_err(context("list vhosts"))?;
        let users = broker.list_users(more.hashes).map_err(context("list users"))?;
        let all = Scope::default();
        let permissions = broker.list_permissions(&all).map_err(context("list permissions"))?;
        let topics =
            broker.list_topic_permissions(&all).map_err(context("list topic permissions"))?;
        let mut limits = BTreeMap::new();
        for holder in [Holder::Vhost, Holder::User].into_iter().filter(|_| more.limits) {
            let all = broker.list_limits(holder).map_err(context("list limits"))?;
            limits.extend(all.into_iter().map(|(name, limited)| ((holder, name), limited)));
        }
        let users = users.into_iter().map(|User { name, mut tags, hash }| {
            tags.sort();
            (name, Known { tags, hash })
        });
        let rules = permissions.into_iter().map(Rule::Vhost);
        let rules = rules.chain(topics.into_iter().map(Rule::Topic));
        Ok(State {
            vhosts: vhosts.into_iter().map(|vhost| (vhost.name, vhost.traits)).collect(),
            users: users.collect(),
            rules: rules.map(|rule| (rule.subject(), rule)).collect(),
            limits,
        })
    }
}
