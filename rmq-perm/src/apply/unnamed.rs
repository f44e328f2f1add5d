//! Notices about what pruning does not compare.

use super::desired::Desired;
use super::state::State;
use crate::administration::{Kind, Rule, Text};
use rmq_common::diagnostics::Diagnostics;
use std::collections::BTreeSet;

/// Reports permissions on virtual hosts that the file does not name, topic permissions on those it
/// names if it has no column for them, and users that it does not name if it does not list users.
pub fn report(desired: &Desired, state: &State, only: Option<&str>, diagnostics: Diagnostics) {
    let named = desired.named_vhosts();
    let meant = |vhost: &str| only.is_none_or(|only| only == vhost);
    let all: BTreeSet<_> = state.rules.values().map(Rule::vhost).collect();
    let unnamed: Vec<_> =
        all.into_iter().filter(|vhost| !named.contains(vhost) && meant(vhost)).collect();
    if !unnamed.is_empty() {
        diagnostics.notice(&format!(
            "apply: virtual hosts with permissions that the file does not name are not changed: \
             {}",
            some_of(&unnamed)
        ));
    }
    let is_topic = |rule: &&Rule<Text>| rule.kind() == Kind::TopicPermissions;
    let topics = state.rules.values().filter(is_topic);
    let count = topics.filter(|rule| named.contains(&rule.vhost())).count();
    if count > 0 && !desired.lists(Kind::TopicPermissions) {
        diagnostics.notice(&format!(
            "apply: the file has no column exchange, so topic permissions are not changed: \
             {count}"
        ));
    }
    let named = desired.named_users();
    let users = state.users.keys().map(|user| String::from_utf8_lossy(user));
    let unnamed: Vec<_> = users.filter(|user| !named.contains(user)).collect();
    if only.is_none() && !desired.lists_users && !unnamed.is_empty() {
        diagnostics.notice(&format!(
            "apply: the file has no column tags, so users that it does not name are not \
             changed: {}",
            some_of(&unnamed)
        ));
    }
}

/// The first few of some names.
pub fn some_of(names: &[impl AsRef<str>]) -> String {
    const SHOWN: usize = 5;
    let more = if names.len() > SHOWN { ", ..." } else { "" };
    let shown: Vec<&str> = names.iter().take(SHOWN).map(AsRef::as_ref).collect();
    format!("{}{more}", shown.join(", "))
}
