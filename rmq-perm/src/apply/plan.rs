//! The difference between what the file asks for and what the broker has.

use super::change::{Change, What};
use super::desired::Desired;
use super::state::State;
use crate::administration::{Holder, Rule, Subject, Text, VhostTraits};
use crate::password_hash::PasswordHash;

/// What is removed if it is not in the file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lacking {
    /// Permissions on the virtual hosts that the file names.
    pub permissions: bool,
    pub users: bool,
}

/// The changes that give the broker the state that the file describes.
pub fn plan(desired: &Desired, state: &State, lack: Lacking) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut add = |line: u64, what| changes.push(Change { line: Some(line), what });
    for (vhost, (line, wanted)) in &desired.vhosts {
        let (before, vhost) = (state.vhosts.get(vhost.as_bytes()), vhost.clone());
        let Some(before) = before else {
            let traits = wanted.change.of(&VhostTraits::default());
            add(*line, What::AddVhost { vhost, traits });
            continue;
        };
        let traits = wanted.change.of_existing(before);
        if traits != *before {
            add(*line, What::SetVhost { vhost, before: before.clone(), traits });
        }
    }
    for (user, (line, wanted)) in &desired.users {
        let (user, tags, hash) = (user.clone(), wanted.tags.clone(), wanted.hash.clone());
        let Some(before) = state.users.get(user.as_bytes()) else {
            add(*line, What::AddUser { user, tags: tags.unwrap_or_default(), hash });
            continue;
        };
        if let Some(tags) = tags
            && !before.tags.iter().eq(tags.iter().map(String::as_bytes))
        {
            add(*line, What::SetTags { user: user.clone(), before: before.tags.clone(), tags });
        }
        // If the cell is empty, the user keeps the password.
        if let Some(hash) = hash
            && before.hash.as_ref().is_none_or(|before| before.reveal() != hash.base64())
        {
            let before = before.hash.as_ref().filter(|it| !it.reveal().is_empty());
            let before = before.map(|it| {
                PasswordHash::read(it.clone()).map_or("another algorithm", |it| it.algorithm())
            });
            add(*line, What::SetPassword { user, before, hash });
        }
    }
    let of_vhosts =
        desired.vhosts.iter().map(|(name, it)| (Holder::Vhost, name, it.0, it.1.limits));
    let of_users = desired.users.iter().map(|(name, it)| (Holder::User, name, it.0, it.1.limits));
    for (holder, name, line, wanted) in of_vhosts.chain(of_users) {
        let before = state.limits.get(&(holder, name.clone().into_bytes()));
        let before = before.copied().unwrap_or_default();
        let after = wanted.of(before);
        if after != before {
            add(line, What::SetLimits { holder, name: name.clone(), before, after });
        }
    }
    for (subject, (line, rule)) in &desired.rules {
        let before = state.rules.get(subject);
        if !before.is_some_and(|before| before.is(rule)) {
            add(*line, What::Set { rule: rule.clone(), before: before.cloned() });
        }
    }
    let mut lacks = Vec::new();
    if lack.permissions {
        lacks.extend(lacking(desired, state));
    }
    if lack.users && desired.lists_users {
        let named = desired.named_users();
        lacks.extend(state.users.iter().filter_map(|(user, known)| {
            let user = text(user).filter(|user| !named.contains(&**user))?;
            Some(What::DeleteUser { user, tags: known.tags.clone() })
        }));
    }
    changes.extend(lacks.into_iter().map(|what| Change { line: None, what }));
    changes
}

/// What the broker has on the virtual hosts that the file names, but the file does not have. Names
/// that are not UTF-8, which no client can have given, are skipped.
fn lacking<'a>(desired: &'a Desired, state: &'a State) -> impl Iterator<Item = What> + 'a {
    let named = desired.named_vhosts();
    let lacks = move |(subject, rule): &(&Subject, &Rule<Text>)| {
        let (kind, vhost, user, exchange) = subject;
        let is_text = |name: &Text| std::str::from_utf8(name).is_ok();
        desired.lists(*kind)
            && [vhost, user].into_iter().chain(exchange).all(is_text)
            && named.contains(&*rule.vhost())
            && !desired.rules.contains_key(subject)
    };
    state.rules.iter().filter(lacks).map(|(_, rule)| What::Clear(rule.clone()))
}

fn text(bytes: &Text) -> Option<String> {
    String::from_utf8(bytes.clone()).ok()
}

#[cfg(test)]
mod tests;
