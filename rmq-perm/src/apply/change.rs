//! A change: how it is made, and how it is shown.

use crate::administration::{
    Administration, Grant, Password, Patterns, Text, TopicGrant, TopicPatterns,
};
use crate::output::cell;
use crate::password_hash::PasswordHash;
use rmq_common::failure::Failure;

/// A change, and the line that asks for it; `None` if it is pruned.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The line of the file, from 1.
    pub line: Option<u64>,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub enum What {
    AddVhost(String),
    AddUser {
        user: String,
        tags: Vec<String>,
        hash: Option<PasswordHash>,
    },
    SetTags {
        user: String,
        before: Vec<Text>,
        tags: Vec<String>,
    },
    SetPassword {
        user: String,
        /// The algorithm of the hash that the broker has; `None` if it has none.
        before: Option<&'static str>,
        hash: PasswordHash,
    },
    Set {
        vhost: String,
        user: String,
        before: Option<Patterns<Text>>,
        patterns: Patterns<String>,
    },
    SetTopic {
        vhost: String,
        user: String,
        exchange: String,
        before: Option<TopicPatterns<Text>>,
        patterns: TopicPatterns<String>,
    },
    /// Permissions that the file lacks.
    Clear {
        vhost: String,
        user: String,
        before: Patterns<Text>,
    },
    /// Topic permissions that the file lacks.
    ClearTopic {
        vhost: String,
        user: String,
        exchange: String,
        before: TopicPatterns<Text>,
    },
    /// A user that the file lacks.
    DeleteUser {
        user: String,
        tags: Vec<Text>,
    },
}

impl Change {
    pub fn make(&self, broker: &mut dyn Administration) -> Result<(), Failure> {
        match &self.what {
            What::AddVhost(vhost) => broker.add_vhost(vhost).map(drop),
            What::AddUser { user, tags, hash } => {
                let password = hash.clone().map_or(Password::None, Password::Hashed);
                // If this ends in the middle, the next run finds that the tags differ.
                broker.add_user(user, &password, &strs(tags))
            }
            What::SetTags { user, tags, .. } => broker.set_tags(user, &strs(tags)),
            What::SetPassword { user, hash, .. } => {
                broker.change_password(user, &Password::Hashed(hash.clone()))
            }
            What::DeleteUser { user, .. } => broker.delete_user(user).map(drop),
            What::Set { vhost, user, patterns, .. } => {
                let Patterns { configure, write, read } = patterns;
                let patterns = Patterns { configure: &**configure, write, read };
                broker.set_permissions(Grant { user, vhost, patterns })
            }
            What::SetTopic { vhost, user, exchange, patterns, .. } => {
                let TopicPatterns { write, read } = patterns;
                let patterns = TopicPatterns { write: &**write, read };
                broker.set_topic_permissions(TopicGrant { user, vhost, exchange, patterns })
            }
            What::Clear { vhost, user, .. } => broker.clear_permissions(user, vhost),
            What::ClearTopic { vhost, user, exchange, .. } => {
                broker.clear_topic_permissions(user, vhost, Some(exchange))
            }
        }
    }

    /// The permissions to set, if it sets any: many can be set at once.
    pub fn grant(&self) -> Option<Grant<'_>> {
        let What::Set { vhost, user, patterns: Patterns { configure, write, read }, .. } =
            &self.what
        else {
            return None;
        };
        Some(Grant { user, vhost, patterns: Patterns { configure, write, read } })
    }

    /// The same of topic permissions.
    pub fn topic_grant(&self) -> Option<TopicGrant<'_>> {
        let What::SetTopic {
            vhost, user, exchange, patterns: TopicPatterns { write, read }, ..
        } = &self.what
        else {
            return None;
        };
        Some(TopicGrant { user, vhost, exchange, patterns: TopicPatterns { write, read } })
    }

    /// Its lines of a diff: `-` for the present state, `+` for the desired one.
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
            // The hashes themselves must not appear in a log.
            What::SetPassword { user, before, hash } => {
                let of = |sign, algorithm: &str| {
                    line(sign, "password", &[user.as_bytes(), algorithm.as_bytes()])
                };
                before.map(|it| of('-', it)).unwrap_or_default() + &of('+', hash.algorithm())
            }
            What::DeleteUser { user, tags } => {
                line('-', "user", &[user.as_bytes(), &tags.join(&b","[..])])
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

    /// The operation in messages.
    pub fn name(&self) -> String {
        match &self.what {
            What::AddVhost(vhost) => format!("add vhost {vhost}"),
            What::AddUser { user, .. } => format!("add user {user}"),
            What::SetTags { user, .. } => format!("set tags of {user}"),
            What::SetPassword { user, .. } => format!("change the password of {user}"),
            What::DeleteUser { user, .. } => format!("delete user {user}"),
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

    /// The user that it deletes, if any.
    pub fn deleted_user(&self) -> Option<&str> {
        match &self.what {
            What::DeleteUser { user, .. } => Some(user),
            _ => None,
        }
    }

    /// The user that it adds without a password, if any.
    pub fn passwordless_user(&self) -> Option<&str> {
        match &self.what {
            What::AddUser { user, hash: None, .. } => Some(user),
            _ => None,
        }
    }

    /// Whether it removes something that the file lacks.
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

/// Patterns as the broker has them.
pub fn bytes(patterns: &Patterns<String>) -> Patterns<Text> {
    let Patterns { configure, write, read } = patterns.clone();
    Patterns { configure: configure.into(), write: write.into(), read: read.into() }
}

/// The same of topic patterns.
pub fn topic_bytes(patterns: &TopicPatterns<String>) -> TopicPatterns<Text> {
    let TopicPatterns { write, read } = patterns.clone();
    TopicPatterns { write: write.into(), read: read.into() }
}

fn strs(tags: &[String]) -> Vec<&str> {
    tags.iter().map(String::as_str).collect()
}
