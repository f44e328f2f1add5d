//! A broker's refusals, with the sentence and the exit status of each, over either transport.
//!
//! The broker's text is parsed once, in [`words`]. Everything else matches on the result.

pub mod words;

use crate::pattern;
use crate::unanswered::{Effect, UNKNOWN};
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;

/// Why the broker refuses a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    NoSuchUser,
    NoSuchVhost,
    /// The management API does not say which of the two is missing.
    NoSuchUserOrVhost,
    NoSuchExchange(String),
    /// Topic permissions have no effect on an exchange of another type.
    NotTopic {
        exchange: String,
        kind: String,
    },
    UserExists,
    /// The release sets a default queue type only when it adds a virtual host.
    FixedQueueType,
    InvalidPattern {
        /// Bytes: Erlang may return them as a list of numbers.
        pattern: Vec<u8>,
        objection: String,
    },
    /// A credential validator's objection to a password.
    InvalidPassword(String),
    NoMajority,
    /// A node of the cluster became unreachable during the request.
    NodeWentAway,
    /// A node that is starting or stopping has no tables.
    NodeNotReady,
    /// Our user may not do this.
    Denied(Denial),
    /// Another refusal, with the broker's words if there are any.
    Other {
        status: u16,
        reason: Option<String>,
    },
    /// A status of 500 or above. A broker that is starting or has no majority answers 503, and so
    /// does a proxy without a broker, which also answers 502 and 504.
    Failed {
        status: u16,
        reason: Option<String>,
        effect: Effect,
    },
}

/// Why our user may not do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    LacksAdministrator,
    LacksMonitoring,
    LacksManagement,
    NoVhostAccess,
    LocalhostOnly,
    /// The API does not say whether the name, the password or a tag is wrong.
    LoginFailed,
    Other(String),
}

impl Refusal {
    /// `objection` comes from the broker.
    pub fn invalid_pattern(pattern: &str, objection: &str) -> Self {
        Refusal::InvalidPattern { pattern: pattern.into(), objection: objection.to_owned() }
    }

    /// This error, unless the object `exists`.
    pub fn unless(&self, exists: bool) -> Result<(), Failure> {
        if exists { Ok(()) } else { Err(self.failure()) }
    }

    /// The failure for it, if it is not about our user.
    pub fn failure(&self) -> Failure {
        self.failure_of("this user")
    }

    /// The failure for it; `user` is our user.
    pub fn failure_of(&self, user: &str) -> Failure {
        match self {
            Refusal::NoSuchUser => Failure::new(Exit::NoUser, "no such user"),
            Refusal::NoSuchVhost => Failure::data("no such vhost"),
            Refusal::NoSuchUserOrVhost => {
                Failure::data("the user or the virtual host was missing a moment ago; try again")
            }
            Refusal::NoSuchExchange(name) => Failure::data(format!("no such exchange: {name}")),
            Refusal::NotTopic { exchange, kind } => Failure::data(format!(
                "{exchange} is an exchange of type {kind}, where topic permissions restrict \
                 nothing; give a topic exchange"
            )),
            Refusal::UserExists => Failure::data(
                "the user already exists; nothing was changed (change-password sets a new \
                 password, add-user --replace also these tags)",
            ),
            Refusal::FixedQueueType => Failure::data(
                "this release of RabbitMQ cannot change the default queue type of a virtual host \
                 that exists; RabbitMQ 4.0 can (add-vhost --default-queue-type sets that of a new \
                 one)",
            ),
            Refusal::InvalidPattern { pattern, objection } => Failure::data(format!(
                "the broker does not accept the regular expression '{}': {objection}",
                pattern::shown(&String::from_utf8_lossy(pattern))
            )),
            Refusal::InvalidPassword(why) => Failure::data(why.clone()),
            Refusal::NoMajority => Failure::new(
                Exit::TempFail,
                format!(
                    "the cluster did not agree in time (is a majority of its nodes running?)\
                     {UNKNOWN}"
                ),
            ),
            Refusal::NodeWentAway => Failure::new(
                Exit::TempFail,
                "a node of the cluster became unreachable during the request; try again",
            ),
            Refusal::NodeNotReady => {
                Failure::new(Exit::TempFail, "a node is starting or stopping; try again")
            }
            Refusal::Denied(denial) => Failure::new(Exit::NoPerm, denial.sentence(user)),
            Refusal::Other { reason: Some(reason), .. } => {
                Failure::data(format!("the broker refused it: {reason}"))
            }
            Refusal::Other { status, reason: None } => {
                Failure::data(format!("the broker refused it with status {status}"))
            }
            Refusal::Failed { status, reason, effect } => {
                let (exit, hint) = match (status, effect) {
                    (502..=504, Effect::Reads) => (Exit::Unavailable, ""),
                    (502..=504, Effect::Changes) => (Exit::TempFail, ""),
                    // While a node starts or stops, its API crashes as if it were broken.
                    _ => (Exit::TempFail, " (try again if a node is starting or stopping)"),
                };
                let reason = reason.iter().map(|reason| format!(": {reason}")).collect::<String>();
                let why = format!("the broker failed with status {status}{reason}{hint}");
                Failure::new(exit, effect.may_be_done(why))
            }
        }
    }
}

impl Denial {
    fn sentence(&self, user: &str) -> String {
        match self {
            Denial::LacksAdministrator => format!("{user} lacks the tag administrator"),
            Denial::LacksMonitoring => {
                format!("{user} lacks the tag monitoring (or administrator)")
            }
            Denial::LacksManagement => {
                format!("{user} lacks the tag management (or administrator)")
            }
            Denial::NoVhostAccess => format!("{user} has no permissions on the virtual host"),
            Denial::LocalhostOnly => {
                format!("{user} can log in only from the broker's machine")
            }
            Denial::LoginFailed => format!(
                "the broker refused {user}: no such user, a wrong password, or none of the tags \
                 management, policymaker, monitoring and administrator"
            ),
            Denial::Other(why) => format!("the broker refused {user}: {why}"),
        }
    }
}

/// Checks that topic permissions have an effect on an exchange with the type `kind`, if it exists.
pub fn unless_topic(exchange: &str, kind: Option<&[u8]>) -> Result<(), Refusal> {
    let kind = match kind {
        Some(b"topic") => return Ok(()),
        // The default exchange, which only the management API knows by this name.
        None if exchange == "amq.default" => "direct".into(),
        Some(kind) => String::from_utf8_lossy(kind),
        None => return Err(Refusal::NoSuchExchange(exchange.to_owned())),
    };
    Err(Refusal::NotTopic { exchange: exchange.to_owned(), kind: kind.into_owned() })
}
