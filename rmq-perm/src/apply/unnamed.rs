//! Notices about what pruning does not compare.

use super::desired::Desired;
use super::state::State;
use crate::administration::Text;
use rmq_common::diagnostics::Diagnostics;
use std::collections::BTreeSet;

/// Reports permissions on virtual hosts that the file does not name, topic permissions on those it
/// names if it has no column for them, and users that it does not name if it does not list users.
pub fn report(desired: &Desired, state: &State, only: Option<&str>, diagnostics: Diagnostics) {
    let named = desired.named_vhosts();
    let readable = |vhost: &Text| String::from_utf8_lossy(vhost).into_owned();
    let meant = |vhost: &String| only.is_none_or(|only| only == vhost);
    let of_permissions = state.permissions.keys().map(|(vhost, _)| vhost);
    let of_topics = state.topics.keys().map(|(vhost, ..)| vhost);
    let all: BTreeSet<&Text> = of_permissions.chain(of_topics).collect();
    let unnamed: Vec<String> = all
        .into_iter()
        .map(readable)
        .filter(|vhost| !named.contains(&**vhost) && meant(vhost))
        .collect();
    if !unnamed.is_empty() {
        diagnostics.notice(&format!(
            "apply: virtual hosts with permissions that the file does not name are not changed: \
             {}",
            some_of(&unnamed)
        ));
    }
    let topics = state.topics.keys().filter(|(vhost, ..)| named.contains(&*readable(vhost)));
    let count = topics.count();
    if count > 0 && !desired.lists_topics {
        diagnostics.notice(&format!(
            "apply: the file has no column exchange, so topic permissions are not changed: \
             {count}"
        ));
    }
    let named = desired.named_users();
    let unnamed = state.users.keys().map(readable).filter(|user| !named.contains(&**user));
    let unnamed: Vec<String> = unnamed.collect();
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
