//! An error, and what is done about it.

use super::kinds::{Breach, Loss, Missing, Refusal};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use std::fmt;

/// What to do about an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AmqpError {
    /// The connection or the channel is gone, or the broker cannot just now: try again.
    Lost(Lost),
    /// The broker said no: it will say so again.
    Refused(Refused),
    /// One side does not keep to the protocol: trying again meets the same.
    Protocol(Violation),
}

/// What was lost, or cannot be just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Why.
    pub why: Loss,
    pub(super) said: String,
}

/// A refusal of the broker's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What is refused.
    pub what: Refusal,
    /// The broker's sentence, without its leading `NOT_FOUND - `.
    pub(super) said: String,
}

/// A breach of the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub breach: Breach,
    pub(super) said: String,
}

impl Lost {
    /// For a reason that needs no other answer than trying again.
    pub fn because(why: impl Into<String>) -> Self {
        Lost { why: Loss::Other, said: why.into() }
    }

    /// For no reason that is known.
    pub fn unexplained() -> Self {
        Lost { why: Loss::Unexplained, said: "the connection is closed".to_owned() }
    }

    /// Whether it is what a long wait is for: the broker, or a queue of its, gives no answer.
    pub fn is_silence(&self) -> bool {
        matches!(self.why, Loss::NoLeader | Loss::Unanswered)
    }

    /// Whether nothing says why.
    pub fn is_unexplained(&self) -> bool {
        self.why == Loss::Unexplained
    }
}

impl Refused {
    /// Whether it is about how something exists, or is to be declared.
    pub fn is_of_precondition(&self) -> bool {
        matches!(self.what, Refusal::Inequivalent(_) | Refusal::Invalid(_) | Refusal::Precondition)
    }
}

impl AmqpError {
    /// Lost for a reason that needs no other answer than trying again.
    pub fn lost(why: impl Into<String>) -> Self {
        AmqpError::Lost(Lost::because(why))
    }

    /// What a call gets if the connection was gone already, for no known reason.
    pub fn unexplained() -> Self {
        AmqpError::Lost(Lost::unexplained())
    }

    /// A question that was not answered in time.
    pub fn unanswered() -> Self {
        AmqpError::silence("the broker does not answer")
    }

    /// Nothing came in time that was awaited.
    pub fn silence(what: impl Into<String>) -> Self {
        AmqpError::Lost(Lost { why: Loss::Unanswered, said: what.into() })
    }

    /// A confirm for a message that was not published.
    pub fn unpublished(confirm: &str) -> Self {
        AmqpError::violation(
            Breach::Other,
            format!("the broker confirmed something that was not published: {confirm}"),
        )
    }

    pub(super) fn violation(breach: Breach, said: impl Into<String>) -> Self {
        AmqpError::Protocol(Violation { breach, said: said.into() })
    }

    pub(super) fn refused(what: Refusal, said: impl Into<String>) -> Self {
        AmqpError::Refused(Refused { what, said: said.into() })
    }

    /// Something that cannot exist, so that the broker need not be asked.
    pub fn missing(what: Missing) -> Self {
        AmqpError::refused(Refusal::NotFound(what), "it cannot exist")
    }

    /// As a loss, whichever it is: for a connection that is given up over it.
    pub fn into_lost(self) -> Lost {
        match self {
            AmqpError::Lost(lost) => lost,
            other => Lost::because(other.to_string()),
        }
    }

    /// Whether it is a loss that nothing explains.
    pub fn is_unexplained(&self) -> bool {
        matches!(self, AmqpError::Lost(lost) if lost.is_unexplained())
    }

    /// Whether the broker says that something does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, AmqpError::Refused(Refused { what: Refusal::NotFound(_), .. }))
    }

    /// Whether a permission is missing.
    pub fn is_not_permitted(&self) -> bool {
        matches!(self, AmqpError::Refused(Refused { what: Refusal::NotPermitted(_), .. }))
    }

    /// The exit status it ends with.
    pub fn exit(&self) -> Exit {
        match self {
            AmqpError::Lost(_) => Exit::TempFail,
            AmqpError::Protocol(_) => Exit::Software,
            AmqpError::Refused(refused) => refused.what.exit(),
        }
    }

    /// As a failure, for a tool that does not try again.
    pub fn failure(self) -> Failure {
        Failure::new(self.exit(), self.to_string())
    }
}

impl fmt::Display for AmqpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AmqpError::Lost(lost) => &lost.said,
            AmqpError::Refused(refused) => &refused.said,
            AmqpError::Protocol(violation) => &violation.said,
        })
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}
