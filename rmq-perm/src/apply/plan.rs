//! The difference between what the file asks for and what the broker has.

use super::state::State;
use super::wishes::Wishes;
use crate::administration::{Administration, Grant, Password, Patterns, Text, TopicPatterns};
use crate::output::cell;
use crate::password_hash::PasswordHash;
use rmq_common::failure::Failure;

/// Something to be changed, and the line that asks for it; no line asks for what is pruned.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The line of the file, from 1.
    pub line: Option<u64>,
    /// What is to be changed.
    pub what: What,
}

/// What is to be changed.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A virtual host is missing.
    AddVhost(String),
    /// A user is missing.
    AddUser {
        /// The name.
        user: String,
        /// What it is to have.
        tags: Vec<String>,
        /// What it is to log in with.
        hash: Option<PasswordHash>,
    },
    /// A user has other tags.
    SetTags {
        /// The name.
        user: String,
        /// Those it has.
        before: Vec<Text>,
        /// Those it is to have.
        tags: Vec<String>,
    },
    /// Permissions are missing, or others.
    Set {
        /// On this virtual host,
        vhost: String,
        /// of this user,
        user: String,
        /// in place of these,
        before: Option<Patterns<Text>>,
        /// these.
        patterns: Patterns<String>,
    },
    /// Topic permissions are missing, or others.
    SetTopic {
        /// On this virtual host,
        vhost: String,
        /// of this user,
        user: String,
        /// at this exchange,
        exchange: String,
        /// in place of these,
        before: Option<TopicPatterns<Text>>,
        /// these.
        patterns: TopicPatterns<String>,
    },
    /// Permissions that the file lacks.
    Clear {
        /// On this virtual host,
        vhost: String,
        /// of this user,
        user: String,
        /// these.
        before: Patterns<Text>,
    },
    /// Topic permissions that the file lacks.
    ClearTopic {
        /// On this virtual host,
        vhost: String,
        /// of this user,
        user: String,
        /// at this exchange,
        exchange: String,
        /// these.
        before: TopicPatterns<Text>,
    },
}

/// What is to be changed so that the broker has what the file asks for; with `prune` also what the
/// file lacks on the virtual hosts it names.
pub fn plan(wishes: &Wishes, state: &State, prune: bool) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut add = |line: u64, what| changes.push(Change { line: Some(line), what });
    for (vhost, line) in &wishes.vhosts {
        if !state.vhosts.contains(vhost.as_bytes()) {
            add(*line, What::AddVhost(vhost.clone()));
        }
    }
    for (user, (line, wanted)) in &wishes.users {
        let (user, tags) = (user.clone(), wanted.tags.clone());
        match (state.users.get(user.as_bytes()), tags) {
            (None, tags) => {
                let (tags, hash) = (tags.unwrap_or_default(), wanted.hash.clone());
                add(*line, What::AddUser { user, tags, hash });
            }
            (Some(before), Some(tags)) if !before.iter().eq(tags.iter().map(String::as_bytes)) => {
                add(*line, What::SetTags { user, before: before.clone(), tags });
            }
            _ => {}
        }
    }
    for ((vhost, user), (line, patterns)) in &wishes.permissions {
        let before = state.permissions.get(&(vhost.clone().into(), user.clone().into()));
        if before != Some(&bytes(patterns)) {
            let (vhost, user) = (vhost.clone(), user.clone());
            let (before, patterns) = (before.cloned(), patterns.clone());
            add(*line, What::Set { vhost, user, before, patterns });
        }
    }
    for ((vhost, user, exchange), (line, patterns)) in &wishes.topics {
        let key = (vhost.clone().into(), user.clone().into(), exchange.clone().into());
        let before = state.topics.get(&key);
        if before != Some(&topic_bytes(patterns)) {
            let (vhost, user, exchange) = (vhost.clone(), user.clone(), exchange.clone());
            let (before, patterns) = (before.cloned(), patterns.clone());
            add(*line, What::SetTopic { vhost, user, exchange, before, patterns });
        }
    }
    if prune {
        changes.extend(lacking(wishes, state).map(|what| Change { line: None, what }));
    }
    changes
}

/// What the broker has on the virtual hosts that the file names, and the file has not. A name that
/// is not UTF-8, which no client can have given, is left alone.
fn lacking<'a>(wishes: &'a Wishes, state: &'a State) -> impl Iterator<Item = What> + 'a {
    let named = wishes.named_vhosts();
    let also_named = named.clone();
    // A file that `list-topic` has written says nothing of other permissions.
    let told = wishes.tells_permissions;
    let permissions = state.permissions.iter().filter(move |_| told).filter_map(
        move |((vhost, user), before)| {
            let key = (text(vhost)?, text(user)?);
            let lacks = named.contains(&*key.0) && !wishes.permissions.contains_key(&key);
            let (vhost, user) = key;
            lacks.then(|| What::Clear { vhost, user, before: before.clone() })
        },
    );
    let told = wishes.tells_topics;
    let topics = state.topics.iter().filter(move |_| told).filter_map(
        move |((vhost, user, exchange), before)| {
            let key = (text(vhost)?, text(user)?, text(exchange)?);
            let lacks = also_named.contains(&*key.0) && !wishes.topics.contains_key(&key);
            let (vhost, user, exchange) = key;
            lacks.then(|| What::ClearTopic { vhost, user, exchange, before: before.clone() })
        },
    );
    permissions.chain(topics)
}

impl Change {
    /// Makes it.
    ///
    /// # Errors
    /// As the broker's [`Administration`].
    pub fn make(&self, broker: &mut dyn Administration) -> Result<(), Failure> {
        match &self.what {
            What::AddVhost(vhost) => broker.add_vhost(vhost).map(drop),
            What::AddUser { user, tags, hash } => {
                let password = hash.clone().map_or(Password::None, Password::Hashed);
                broker.add_user(user, &password)?;
                if tags.is_empty() {
                    return Ok(());
                }
                // Should this not be reached, the next run finds that the tags differ.
                broker.set_tags(user, &strs(tags))
            }
            What::SetTags { user, tags, .. } => broker.set_tags(user, &strs(tags)),
            What::Set { vhost, user, patterns, .. } => {
                let Patterns { configure, write, read } = patterns;
                broker.set_permissions(user, vhost, Patterns { configure, write, read })
            }
            What::SetTopic { vhost, user, exchange, patterns, .. } => {
                let TopicPatterns { write, read } = patterns;
                broker.set_topic_permissions(user, vhost, exchange, TopicPatterns { write, read })
            }
            What::Clear { vhost, user, .. } => broker.clear_permissions(user, vhost),
            What::ClearTopic { vhost, user, exchange, .. } => {
                broker.clear_topic_permissions(user, vhost, Some(exchange))
            }
        }
    }

    /// The permissions to set, if that is what is to be changed: many can be set at once.
    pub fn grant(&self) -> Option<Grant<'_>> {
        let What::Set { vhost, user, patterns: Patterns { configure, write, read }, .. } =
            &self.what
        else {
            return None;
        };
        Some(Grant { user, vhost, patterns: Patterns { configure, write, read } })
    }

    /// Its lines of a diff, `-` for what is and `+` for what is to be.
    pub fn diff(&self) -> String {
        match &self.what {
            What::AddVhost(vhost) => line('+', "vhost", &[vhost.as_bytes()]),
            What::AddUser { user, tags, .. } => {
                line('+', "user", &[user.as_bytes(), tags.join(",").as_bytes()])
            }
            What::SetTags { user, before, tags } => {
                line('-', "user", &[user.as_bytes(), &before.join(&b","[..])])
                    + &line('+', "user", &[user.as_bytes(), tags.join(",").as_bytes()])
            }
            What::Set { vhost, user, before, patterns } => {
                let before = before.as_ref().map(|it| permission('-', vhost, user, it));
                before.unwrap_or_default() + &permission('+', vhost, user, &bytes(patterns))
            }
            What::SetTopic { vhost, user, exchange, before, patterns } => {
                let before = before.as_ref().map(|it| topic('-', vhost, user, exchange, it));
                let after = topic('+', vhost, user, exchange, &topic_bytes(patterns));
                before.unwrap_or_default() + &after
            }
            What::Clear { vhost, user, before } => permission('-', vhost, user, before),
            What::ClearTopic { vhost, user, exchange, before } => {
                topic('-', vhost, user, exchange, before)
            }
        }
    }

    /// What making it is called.
    pub fn name(&self) -> String {
        match &self.what {
            What::AddVhost(vhost) => format!("add vhost {vhost}"),
            What::AddUser { user, .. } => format!("add user {user}"),
            What::SetTags { user, .. } => format!("set tags of {user}"),
            What::Set { vhost, user, .. } => format!("set permissions of {user} on {vhost}"),
            What::SetTopic { vhost, user, exchange, .. } => {
                format!("set topic permissions of {user} at {exchange} on {vhost}")
            }
            What::Clear { vhost, user, .. } => format!("clear permissions of {user} on {vhost}"),
            What::ClearTopic { vhost, user, exchange, .. } => {
                format!("clear topic permissions of {user} at {exchange} on {vhost}")
            }
        }
    }

    /// Whether it takes something away that the file lacks.
    pub fn prunes(&self) -> bool {
        self.line.is_none()
    }
}

fn permission(sign: char, vhost: &str, user: &str, patterns: &Patterns<Text>) -> String {
    let Patterns { configure, write, read } = patterns;
    line(sign, "permissions", &[vhost.as_bytes(), user.as_bytes(), configure, write, read])
}

fn topic(sign: char, vhost: &str, user: &str, at: &str, patterns: &TopicPatterns<Text>) -> String {
    let TopicPatterns { write, read } = patterns;
    let names = [vhost, user, at].map(str::as_bytes);
    line(sign, "topic-permissions", &[&names[..], &[write, read]].concat())
}

fn line(sign: char, kind: &str, values: &[&[u8]]) -> String {
    let mut text = format!("{sign}{kind}");
    for value in values {
        text.push('\t');
        text.push_str(&cell(value));
    }
    text.push('\n');
    text
}

fn bytes(patterns: &Patterns<String>) -> Patterns<Text> {
    let Patterns { configure, write, read } = patterns.clone();
    Patterns { configure: configure.into(), write: write.into(), read: read.into() }
}

fn topic_bytes(patterns: &TopicPatterns<String>) -> TopicPatterns<Text> {
    let TopicPatterns { write, read } = patterns.clone();
    TopicPatterns { write: write.into(), read: read.into() }
}

fn strs(tags: &[String]) -> Vec<&str> {
    tags.iter().map(String::as_str).collect()
}

fn text(bytes: &Text) -> Option<String> {
    String::from_utf8(bytes.clone()).ok()
}

#[cfg(test)]
mod tests;
