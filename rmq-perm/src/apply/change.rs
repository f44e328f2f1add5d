//! A change: how it is made, and how it is shown.

use crate::administration::{
    Administration, Holder, Limited, LimitsChange, Password, Rule, Text, VhostTraits,
};
use crate::output::cell;
use crate::password_hash::PasswordHash;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use std::borrow::Cow;

/// A change, and the line that asks for it; `None` if it is pruned.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The line of the file, from 1.
    pub line: Option<u64>,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub enum What {
    AddVhost {
        vhost: String,
        traits: VhostTraits,
    },
    SetVhost {
        vhost: String,
        before: VhostTraits,
        traits: VhostTraits,
    },
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
        /// The algorithm of the hash that the broker has; `None` if there is no hash.
        before: Option<&'static str>,
        hash: PasswordHash,
    },
    SetLimits {
        holder: Holder,
        name: String,
        before: Limited,
        after: Limited,
    },
    Set {
        rule: Rule<String>,
        /// What it replaces.
        before: Option<Rule<Text>>,
    },
    /// Remove a rule that is not in the file.
    Clear(Rule<Text>),
    /// Delete a user who is not in the file.
    DeleteUser {
        user: String,
        tags: Vec<Text>,
    },
}

impl Change {
    pub fn make(&self, broker: &mut dyn Administration) -> Result<(), Failure> {
        match &self.what {
            What::AddVhost { vhost, traits } => broker.add_vhost(vhost, traits).map(drop),
            What::SetVhost { vhost, before, traits } => broker.set_vhost(vhost, before, traits),
            What::AddUser { user, tags, hash } => {
                let tags = strs(tags);
                let first = add(broker, user, hash.as_ref(), &tags);
                match first {
                    // RabbitMQ 4.3 refuses one of two requests that add a user at the same time.
                    Err(failure) if failure.exit() == Exit::DataErr => {
                        if !broker.user_exists(user)? {
                            return Err(failure);
                        }
                        add(broker, user, hash.as_ref(), &tags)
                    }
                    first => first,
                }
            }
            What::SetTags { user, tags, .. } => broker.set_tags(user, &strs(tags)),
            What::SetPassword { user, hash, .. } => {
                broker.change_password(user, &Password::Hashed(hash.clone()))
            }
            What::DeleteUser { user, .. } => broker.delete_user(user).map(drop),
            What::SetLimits { holder, name, before, after } => {
                broker.set_limits(*holder, name, LimitsChange::between(*before, *after))
            }
            What::Set { rule, .. } => rule.set(broker),
            What::Clear(rule) => rule.clear(broker),
        }
    }

    /// The rule to set, if it sets one: many can be set at once.
    pub fn rule(&self) -> Option<Rule<&str>> {
        match &self.what {
            What::Set { rule, .. } => Some(rule.borrowed()),
            _ => None,
        }
    }

    /// Its lines of a diff: `-` for the present state, `+` for the desired one.
    pub fn diff(&self) -> String {
        match &self.what {
            What::AddVhost { vhost, traits } => {
                line('+', "vhost", &[vhost.as_bytes()])
                    + &traits_lines(vhost, &VhostTraits::default(), traits)
            }
            What::SetVhost { vhost, before, traits } => traits_lines(vhost, before, traits),
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
            What::SetLimits { holder, name, before, after } => {
                limits_lines(*holder, name, *before, *after)
            }
            What::Set { rule, before } => {
                before.as_ref().map(|it| rule_line('-', it)).unwrap_or_default()
                    + &rule_line('+', rule)
            }
            What::Clear(rule) => rule_line('-', rule),
        }
    }

    /// The operation in messages.
    pub fn name(&self) -> String {
        match &self.what {
            What::AddVhost { vhost, .. } => format!("add vhost {vhost}"),
            What::SetVhost { vhost, .. } => format!("set vhost {vhost}"),
            What::AddUser { user, .. } => format!("add user {user}"),
            What::SetTags { user, .. } => format!("set tags of {user}"),
            What::SetPassword { user, .. } => format!("change the password of {user}"),
            What::DeleteUser { user, .. } => format!("delete user {user}"),
            What::SetLimits { holder, name, .. } => {
                format!("set limits of {} {name}", holder.name())
            }
            What::Set { rule, .. } => format!("set {rule}"),
            What::Clear(rule) => format!("clear {rule}"),
        }
    }

    /// The virtual host and the user that it names.
    pub fn named(&self) -> Vec<Cow<'_, str>> {
        match &self.what {
            What::AddVhost { vhost: name, .. }
            | What::SetVhost { vhost: name, .. }
            | What::AddUser { user: name, .. }
            | What::SetTags { user: name, .. }
            | What::SetPassword { user: name, .. }
            | What::DeleteUser { user: name, .. }
            | What::SetLimits { name, .. } => vec![name.into()],
            What::Set { rule, .. } => vec![rule.vhost(), rule.user()],
            What::Clear(rule) => vec![rule.vhost(), rule.user()],
        }
    }

    /// The user that it deletes, if any.
    pub fn deleted_user(&self) -> Option<&str> {
        match &self.what {
            What::DeleteUser { user, .. } => Some(user),
            _ => None,
        }
    }

    /// The user whose password or tags it changes, if any.
    pub fn login_of(&self) -> Option<&str> {
        match &self.what {
            What::SetTags { user, .. } | What::SetPassword { user, .. } => Some(user),
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

/// Adds a user or, if another client has since done so, gives it the same properties.
fn add(
    broker: &mut dyn Administration,
    user: &str,
    hash: Option<&PasswordHash>,
    tags: &[&str],
) -> Result<(), Failure> {
    match hash {
        // If this is interrupted, the next run finds that the tags differ.
        Some(hash) => broker.put_user(user, &Password::Hashed(hash.clone()), tags).map(drop),
        None if broker.user_exists(user)? => broker.set_tags(user, tags),
        None => broker.add_user(user, &Password::None, tags),
    }
}

/// The lines of the differences; no limit is shown as nothing.
fn limits_lines(holder: Holder, name: &str, before: Limited, after: Limited) -> String {
    let kind = format!("{}-limit", holder.name());
    let mut text = String::new();
    for (limit, (before, after)) in
        holder.limits().into_iter().zip(before.0.into_iter().zip(after.0))
    {
        for (sign, value) in [('-', before), ('+', after)] {
            if before != after
                && let Some(value) = value
            {
                let value = value.to_string();
                text += &line(sign, &kind, &[name.as_bytes(), limit.as_bytes(), value.as_bytes()]);
            }
        }
    }
    text
}

/// The lines of the differences; a trait that is not set is shown as nothing.
fn traits_lines(vhost: &str, before: &VhostTraits, after: &VhostTraits) -> String {
    let rows = |traits: &VhostTraits| {
        [
            ("default-queue-type", traits.default_queue_type.clone().unwrap_or_default()),
            ("description", traits.description.clone()),
            ("vhost-tags", traits.tags.join(&b","[..])),
        ]
    };
    let mut text = String::new();
    for ((kind, before), (_, after)) in rows(before).into_iter().zip(rows(after)) {
        for (sign, value, other) in [('-', &before, &after), ('+', &after, &before)] {
            if value != other && !value.is_empty() {
                text.push_str(&line(sign, kind, &[vhost.as_bytes(), value]));
            }
        }
    }
    text
}

fn rule_line<T: AsRef<[u8]>>(sign: char, rule: &Rule<T>) -> String {
    let kind = rule.kind().name().replace(' ', "-");
    line(sign, &kind, &rule.row().into_iter().map(AsRef::as_ref).collect::<Vec<_>>())
}

/// The line of a diff for something that is removed.
pub fn removed(kind: &str, values: &[&[u8]]) -> String {
    line('-', kind, values)
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

fn strs(tags: &[String]) -> Vec<&str> {
    tags.iter().map(String::as_str).collect()
}
