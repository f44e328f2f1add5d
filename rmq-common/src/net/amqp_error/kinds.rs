//! What a sentence of the broker says.

use crate::cli::exit::Exit;

/// Why something was lost, if that makes a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Unknown.
    Unexplained,
    /// The broker allows no more channels at once: only this number, if it says so. A user's limit
    /// (from 3.10 on) or a node's (from 4.0 on); channel_max is negotiated before.
    Channels(Option<u16>),
    /// It is another connection's exclusive queue.
    Locked,
    /// A delivery was not acknowledged in time (up to 4.2).
    AcknowledgementTimeout,
    /// A queue has no leader.
    NoLeader,
    /// A question was not answered in time.
    Unanswered,
    /// Another reason.
    Other,
}

/// What the broker refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// This does not exist.
    NotFound(Missing),
    /// A permission is lacking, which the broker may name; or the credentials are refused.
    NotPermitted(Option<Permission>),
    /// The name begins with `amq.`.
    Reserved,
    /// The user has no access to the virtual host.
    NoAccess,
    /// It exists with another value of an argument.
    Inequivalent(Inequivalent),
    /// Nothing can exist with this argument.
    Invalid(Invalid),
    /// The broker has no such type of exchange.
    UnknownExchangeType,
    /// It is not empty.
    NotEmpty,
    /// It is in use.
    InUse,
    /// Another precondition.
    Precondition,
    /// A message that is too large.
    TooLarge,
    /// Queues of this type do not support the method.
    NotImplemented,
    /// This release no longer permits the feature.
    Deprecated,
    /// Another known refusal.
    Other,
    /// An unknown reply.
    Unknown,
}

impl Refusal {
    /// The exit status it ends with.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Refusal::NotPermitted(_) | Refusal::NoAccess => Exit::NoPerm,
            Refusal::Unknown => Exit::Software,
            Refusal::NotFound(_)
            | Refusal::Reserved
            | Refusal::Inequivalent(_)
            | Refusal::Invalid(_)
            | Refusal::UnknownExchangeType
            | Refusal::NotEmpty
            | Refusal::InUse
            | Refusal::Precondition
            | Refusal::TooLarge
            | Refusal::NotImplemented
            | Refusal::Deprecated
            | Refusal::Other => Exit::DataErr,
        }
    }
}

/// What does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A queue.
    Queue,
    /// An exchange.
    Exchange,
    /// A virtual host.
    Vhost,
    /// Something else.
    Other,
}

/// How one side violates the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// More channels were requested than negotiated.
    Channels,
    /// The broker answered a request that was never made.
    Unasked,
    /// In another way.
    Other,
}

/// What can have arguments and permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// A queue, or a topic's routing key.
    Queue,
    /// An exchange.
    Exchange,
}

/// One of the three permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To declare and delete.
    Configure,
    /// To publish, and to bind a queue.
    Write,
    /// To consume, and to bind to an exchange.
    Read,
}

/// A missing permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Which one; 3.10 does not say.
    pub access: Option<Access>,
    /// On what.
    pub thing: Thing,
    /// Its name.
    pub name: String,
    /// The user without it, as the broker names it: a certificate's name may differ from the URL's.
    pub user: Option<String>,
}

/// Something exists with another value of one argument. The broker names only the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inequivalent {
    /// The argument: `x-max-length`, or a property: `durable`.
    pub argument: String,
    pub(super) thing: Thing,
    /// What follows `for queue '`.
    pub(super) rest: String,
}

/// An argument that is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The argument.
    pub argument: String,
    /// What follows `for queue '`.
    pub(super) rest: String,
}

/// A value in the broker's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// This one.
    Is(String),
    /// None was given.
    None,
    /// The sentence was cut off before it.
    CutOff,
}
