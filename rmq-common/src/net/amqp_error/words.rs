//! The broker's words, and what they mean. No other file contains any of them, as a test checks.
//!
//! The texts are those of RabbitMQ 3.10.8, 4.0.5 and 4.3.6, from their source modules and as
//! observed when nodes are stopped and killed; if not all three have a text, its row says which do.
//! A reply text is a short string, so the broker cuts it at 255 bytes and ends it with `...`: after
//! a long queue name, part or all of the message is missing.

use super::code;
use super::kinds::{Breach, Loss, Missing, Refusal};

/// Defines the phrases and, for the tests, a table of all of them.
macro_rules! phrases {
    ($($name:ident = $phrase:literal;)*) => {
        $(pub(super) const $name: &str = $phrase;)*
        #[cfg(test)]
        pub(super) const PHRASES: &[&str] = &[$($name),*];
    };
}

phrases! {
    NO_QUEUE = "no queue '";
    NO_EXCHANGE = "no exchange '";
    NOT_FOUND = "not found";
    REFUSED_FOR_USER = "refused for user";
    ACCESS_TO = "access to ";
    REFUSED = "refused";
    IN_VHOST = "' in vhost '";
    RESERVED_PREFIX = "reserved prefix";
    EXCLUSIVE_USE = "in exclusive use";
    IS_DOWN_OR_INACCESSIBLE = "is down or inaccessible";
    STOPPED_BY_SUPERVISOR = "process is stopped by supervisor";
    CRASHED = "has crashed and failed to restart";
    STOPPING = "may be stopping or being demoted";
    DUE_TO_TIMEOUT = "due to timeout";
    NOT_SUPPORTED = "are not supported by";
    DELIVERY_ACKNOWLEDGEMENT = "delivery acknowledgement on channel";
    NO_REPLICA = "does not have a replica on the local node";
    NO_RUNNING_REPLICA = "does not have a running replica on the local node";
    FAILED_CONSUMING_FROM_STREAM = "failed consuming from stream";
    FAILED_CONSUMING_FROM_QUORUM = "failed consuming from quorum queue";
    NO_SUCH_TAG = "received for inexistant delivery_tag";
    NO_SUCH_EXCHANGE_TYPE = "unknown exchange type";
    INEQUIVALENT = "inequivalent arg '";
    INVALID = "invalid arg '";
    FOR_QUEUE = "' for queue '";
    FOR_EXCHANGE = "' for exchange '";
    BUT_CURRENT_IS = " but current is ";
    THE_VALUE = "the value ";
    OF_TYPE = "' of type '";
    OF_QUEUE_TYPE = "of queue type";
    NOT_EMPTY = " not empty";
    IN_USE = " in use";
    CHANNELS_OPENED = "number of channels opened ";
    LIMIT_IN_BRACKETS = "limit (";
    LIMIT_OF = "limit of ";
    LIMIT_UNKNOWN = "limit cannot be queried";
    VHOST_IS_DOWN = "' is down";
    DEPRECATED = "is deprecated";
    CANNOT_GET = "Cannot get a message from queue";
    NOTHING_AWAITED = "was awaiting for None";
    NAMELESS_INTERNAL_ERROR = "INTERNAL_ERROR";
    NAMELESS_RESOURCE_ERROR = "RESOURCE_ERROR";
    RETURNED_UNROUTABLE = "NO_ROUTE";
    LOW_ON_MEMORY = "low on memory";
    LOW_ON_DISK = "low on disk";
}

/// What a reply of the broker means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Temporary: try again within `--retry`, and end with 75 after that.
    Passes(Loss),
    /// Refused, and will be refused again.
    Refused(Refusal),
    /// One side violates the protocol.
    Broken(Breach),
}

use Meaning::{Broken, Passes, Refused};

/// Every reply with a known meaning, by its code and a phrase of its text. The first match counts,
/// and [`reading`](super::reading) finds the details in the text.
#[rustfmt::skip]
pub(super) const REPLIES: &[(u16, &str, Meaning)] = &[
    (code::CONTENT_TOO_LARGE, "", Refused(Refusal::TooLarge)),
    (code::NO_ROUTE, "", Refused(Refusal::Other)),
    // A shutdown, an operator or maintenance mode.
    (code::CONNECTION_FORCED, "", Passes(Loss::Other)),
    (code::ACCESS_REFUSED, REFUSED_FOR_USER, Refused(Refusal::NotPermitted(None))),
    // Another client is its only consumer.
    (code::ACCESS_REFUSED, EXCLUSIVE_USE, Passes(Loss::Other)),
    (code::ACCESS_REFUSED, "", Refused(Refusal::NotPermitted(None))),
    // First, because a name may contain any of the phrases.
    (code::NOT_FOUND, NO_QUEUE, Refused(Refusal::NotFound(Missing::Queue))),
    (code::NOT_FOUND, NO_EXCHANGE, Refused(Refusal::NotFound(Missing::Exchange))),
    // A classic queue whose node is down (3.10), or is stopping or down (4.0, 4.3), and comes back.
    (code::NOT_FOUND, IS_DOWN_OR_INACCESSIBLE, Passes(Loss::Other)),
    (code::NOT_FOUND, STOPPED_BY_SUPERVISOR, Passes(Loss::Other)),
    (code::NOT_FOUND, CRASHED, Passes(Loss::Other)),
    // "its master replica" in 3.10, "its leader" from 4.0 on.
    (code::NOT_FOUND, STOPPING, Passes(Loss::Other)),
    (code::NOT_FOUND, DUE_TO_TIMEOUT, Passes(Loss::Other)),
    (code::NOT_FOUND, "", Refused(Refusal::NotFound(Missing::Other))),
    // A basic.get from a quorum queue with a single active consumer.
    (code::RESOURCE_LOCKED, NOT_SUPPORTED, Refused(Refusal::Other)),
    // Another connection's exclusive queue: it is deleted with that connection.
    (code::RESOURCE_LOCKED, "", Passes(Loss::Locked)),
    // Up to 4.2, a reader that pauses for half an hour costs the channel; the messages are back in
    // the queue, and are delivered again.
    (code::PRECONDITION_FAILED, DELIVERY_ACKNOWLEDGEMENT, Passes(Loss::AcknowledgementTimeout)),
    // This node's replica of a stream is down, or not up yet; another's may be up (3.10; from 4.0
    // on).
    (code::PRECONDITION_FAILED, NO_REPLICA, Passes(Loss::Other)),
    (code::PRECONDITION_FAILED, NO_RUNNING_REPLICA, Passes(Loss::Other)),
    // From 4.0 on.
    (code::PRECONDITION_FAILED, FAILED_CONSUMING_FROM_STREAM, Passes(Loss::Other)),
    // lapin itself closes the channel over a confirm for an unpublished message.
    (code::PRECONDITION_FAILED, NO_SUCH_TAG, Broken(Breach::Other)),
    (code::PRECONDITION_FAILED, "", Refused(Refusal::Precondition)),
    // 3.10; later releases say it with 406.
    (code::COMMAND_INVALID, NO_SUCH_EXCHANGE_TYPE, Refused(Refusal::UnknownExchangeType)),
    (code::UNEXPECTED_FRAME, NOTHING_AWAITED, Broken(Breach::Unasked)),
    // No stream coordinator, no local replica; from 4.0 on, a deletion of a classic queue that is
    // down.
    (code::RESOURCE_ERROR, "", Passes(Loss::Other)),
    // Limits on connections (of a virtual host, a user; of a node from 4.0 on) and on channels may
    // be exhausted by dead ones that the broker has not noticed yet.
    (code::NOT_ALLOWED, LIMIT_IN_BRACKETS, Passes(Loss::Other)),
    (code::NOT_ALLOWED, LIMIT_OF, Passes(Loss::Other)),
    (code::NOT_ALLOWED, LIMIT_UNKNOWN, Passes(Loss::Other)),
    // A virtual host is down for a moment while its node starts.
    (code::NOT_ALLOWED, VHOST_IS_DOWN, Passes(Loss::Other)),
    (code::NOT_ALLOWED, REFUSED, Refused(Refusal::NoAccess)),
    (code::NOT_ALLOWED, NOT_FOUND, Refused(Refusal::NotFound(Missing::Vhost))),
    (code::NOT_ALLOWED, "", Refused(Refusal::Other)),
    (code::NOT_IMPLEMENTED, "", Refused(Refusal::NotImplemented)),
    // A feature that this release does not permit (4.0, 4.3).
    (code::INTERNAL_ERROR, DEPRECATED, Refused(Refusal::Deprecated)),
    // basic.get of a quorum queue without a leader, and a consumer on one.
    (code::INTERNAL_ERROR, CANNOT_GET, Passes(Loss::NoLeader)),
    (code::INTERNAL_ERROR, FAILED_CONSUMING_FROM_QUORUM, Passes(Loss::NoLeader)),
    // A quorum queue or a metadata store without a leader, a virtual host that is down, a node that
    // stops.
    (code::INTERNAL_ERROR, "", Passes(Loss::Other)),
];

/// The names of codes that RabbitMQ sends alone when it has nothing to add.
pub(super) const NAMELESS: [(&str, &str, Loss); 2] = [
    // A timeout inside the broker, too.
    (
        NAMELESS_INTERNAL_ERROR,
        "the broker had an error of its own, as while a queue has no leader",
        Loss::NoLeader,
    ),
    (NAMELESS_RESOURCE_ERROR, "the broker is short of something", Loss::Other),
];

/// Whether a message is returned because no queue takes it.
pub fn is_unroutable(reason: &str) -> bool {
    reason == RETURNED_UNROUTABLE
}

/// The usual name of the reason for which the broker blocks a connection.
pub fn alarm(reason: &str) -> &str {
    match reason {
        LOW_ON_MEMORY => "memory alarm",
        LOW_ON_DISK => "disk alarm",
        reason => reason,
    }
}
