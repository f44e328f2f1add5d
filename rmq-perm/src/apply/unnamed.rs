//! What pruning does not look at, and says so.

use super::state::State;
use super::wishes::Wishes;
use crate::administration::Text;
use rmq_common::diagnostics::Diagnostics;
use std::collections::BTreeSet;

/// Tells of permissions on virtual hosts that the file does not name, and of topic permissions on
/// those it names where it has no column for them.
pub fn tell(wishes: &Wishes, state: &State, only: Option<&str>, diagnostics: Diagnostics) {
    const SHOWN: usize = 5;
    let named = wishes.named_vhosts();
    let readable = |vhost: &Text| String::from_utf8_lossy(vhost).into_owned();
    let meant = |vhost: &String| only.is_none_or(|only| only == vhost);
    let of_permissions = state.permissions.keys().map(|(vhost, _)| vhost);
    let of_topics = state.topics.keys().map(|(vhost, ..)| vhost);
    let all: BTreeSet<&Text> = of_permissions.chain(of_topics).collect();
    let mut unnamed: Vec<String> = all
        .into_iter()
        .map(readable)
        .filter(|vhost| !named.contains(&**vhost) && meant(vhost))
        .collect();
    if !unnamed.is_empty() {
        let more = if unnamed.len() > SHOWN { ", ..." } else { "" };
        let count = unnamed.len();
        unnamed.truncate(SHOWN);
        let unnamed = unnamed.join(", ");
        diagnostics.notice(&format!(
            "apply: the file names none of {count} virtual hosts with permissions, which are left \
             alone: {unnamed}{more}"
        ));
    }
    let topics = state.topics.keys().filter(|(vhost, ..)| named.contains(&*readable(vhost)));
    let count = topics.count();
    if count > 0 && !wishes.tells_topics {
        diagnostics.notice(&format!(
            "apply: the file has no column exchange, so topic permissions are left alone: {count}"
        ));
    }
}
