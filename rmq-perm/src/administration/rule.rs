//! A permission of either kind: on a virtual host, or on one of its topic exchanges.

use super::{Administration, Patterns, Permission, Text, TopicPatterns, TopicPermission};
use rmq_common::failure::Failure;
use std::borrow::Cow;
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Permissions,
    TopicPermissions,
}

impl Kind {
    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Permissions => "permissions",
            Kind::TopicPermissions => "topic permissions",
        }
    }
}

/// A permission of either kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule<T> {
    Vhost(Permission<T>),
    Topic(TopicPermission<T>),
}

/// What a rule is about: kind, virtual host, user and exchange. No two rules of a broker have the
/// same.
pub type Subject = (Kind, Text, Text, Option<Text>);

impl<T: AsRef<[u8]>> Rule<T> {
    pub fn kind(&self) -> Kind {
        match self {
            Rule::Vhost(_) => Kind::Permissions,
            Rule::Topic(_) => Kind::TopicPermissions,
        }
    }

    pub fn subject(&self) -> Subject {
        let bytes = |text: &T| text.as_ref().to_vec();
        let (vhost, user, exchange) = self.names();
        (self.kind(), bytes(vhost), bytes(user), exchange.map(bytes))
    }

    pub fn vhost(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.names().0.as_ref())
    }

    pub fn user(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.names().1.as_ref())
    }

    pub fn exchange(&self) -> Option<Cow<'_, str>> {
        self.names().2.map(|exchange| String::from_utf8_lossy(exchange.as_ref()))
    }

    fn names(&self) -> (&T, &T, Option<&T>) {
        match self {
            Rule::Vhost(Permission { vhost, user, .. }) => (vhost, user, None),
            Rule::Topic(TopicPermission { vhost, user, exchange, .. }) => {
                (vhost, user, Some(exchange))
            }
        }
    }

    /// Its patterns, each with the name of its column.
    pub fn patterns(&self) -> Vec<(&'static str, &T)> {
        match self {
            Rule::Vhost(Permission { patterns: Patterns { configure, write, read }, .. }) => {
                vec![("configure", configure), ("write", write), ("read", read)]
            }
            Rule::Topic(TopicPermission { patterns: TopicPatterns { write, read }, .. }) => {
                vec![("write", write), ("read", read)]
            }
        }
    }

    /// Its row in a listing, which begins with the virtual host and the user.
    pub fn row(&self) -> Vec<&T> {
        let (vhost, user, exchange) = self.names();
        let patterns = self.patterns().into_iter().map(|(_, pattern)| pattern);
        [vhost, user].into_iter().chain(exchange).chain(patterns).collect()
    }

    /// Whether another rule has the same patterns for the same subject.
    pub fn is<U: AsRef<[u8]>>(&self, other: &Rule<U>) -> bool {
        let (row, others) = (self.row(), other.row());
        self.kind() == other.kind()
            && row.iter().map(|it| it.as_ref()).eq(others.iter().map(|it| it.as_ref()))
    }

    /// Removes it.
    pub fn clear(&self, broker: &mut dyn Administration) -> Result<(), Failure> {
        let (vhost, user) = (self.vhost(), self.user());
        match self.exchange() {
            None => broker.clear_permissions(&user, &vhost),
            Some(exchange) => broker.clear_topic_permissions(&user, &vhost, Some(&exchange)),
        }
    }
}

impl<T> Rule<T> {
    pub fn on_vhost(self) -> Option<Permission<T>> {
        match self {
            Rule::Vhost(permission) => Some(permission),
            Rule::Topic(_) => None,
        }
    }

    pub fn on_topics(self) -> Option<TopicPermission<T>> {
        match self {
            Rule::Vhost(_) => None,
            Rule::Topic(permission) => Some(permission),
        }
    }
}

impl<T: AsRef<str>> Rule<T> {
    pub fn borrowed(&self) -> Rule<&str> {
        match self {
            Rule::Vhost(Permission { vhost, user, patterns }) => {
                let Patterns { configure, write, read } = patterns;
                let (configure, write, read) = (configure.as_ref(), write.as_ref(), read.as_ref());
                let patterns = Patterns { configure, write, read };
                Rule::Vhost(Permission { vhost: vhost.as_ref(), user: user.as_ref(), patterns })
            }
            Rule::Topic(TopicPermission { vhost, user, exchange, patterns }) => {
                let TopicPatterns { write, read } = patterns;
                let patterns = TopicPatterns { write: write.as_ref(), read: read.as_ref() };
                let (vhost, user, exchange) = (vhost.as_ref(), user.as_ref(), exchange.as_ref());
                Rule::Topic(TopicPermission { vhost, user, exchange, patterns })
            }
        }
    }

    /// The same with texts of its own.
    pub fn owned(&self) -> Rule<String> {
        let owned = |text: &T| text.as_ref().to_owned();
        match self {
            Rule::Vhost(Permission { vhost, user, patterns }) => {
                let Patterns { configure, write, read } = patterns;
                let (configure, write, read) = (owned(configure), owned(write), owned(read));
                let patterns = Patterns { configure, write, read };
                Rule::Vhost(Permission { vhost: owned(vhost), user: owned(user), patterns })
            }
            Rule::Topic(TopicPermission { vhost, user, exchange, patterns }) => {
                let patterns =
                    TopicPatterns { write: owned(&patterns.write), read: owned(&patterns.read) };
                let (vhost, user, exchange) = (owned(vhost), owned(user), owned(exchange));
                Rule::Topic(TopicPermission { vhost, user, exchange, patterns })
            }
        }
    }

    /// Sets it.
    pub fn set(&self, broker: &mut dyn Administration) -> Result<(), Failure> {
        match self.borrowed() {
            Rule::Vhost(grant) => broker.set_permissions(grant),
            Rule::Topic(grant) => broker.set_topic_permissions(grant),
        }
    }
}

/// `permissions of alice on /`
impl<T: AsRef<[u8]>> fmt::Display for Rule<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.kind().name(), self.user())?;
        if let Some(exchange) = self.exchange() {
            write!(f, " at {exchange}")?;
        }
        write!(f, " on {}", self.vhost())
    }
}
