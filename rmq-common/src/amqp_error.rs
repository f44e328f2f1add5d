//! What an error of lapin's means to the person who reads it, and whether trying again can help.

use crate::exit::Exit;
use crate::failure::{Cause, Failure};
use crate::lane::{Excess, Unreadable};
use crate::tls_error;
use lapin::ErrorKind;

/// Reply codes of AMQP 0-9-1 (specification, section 1.2) and RabbitMQ's use of them.
pub mod reply {
    /// content-too-large.
    pub const CONTENT_TOO_LARGE: u16 = 311;
    /// no-route: a mandatory message that no queue takes.
    pub const NO_ROUTE: u16 = 312;
    /// connection-forced: an operator or a shutdown closed it.
    pub const CONNECTION_FORCED: u16 = 320;
    /// access-refused.
    pub const ACCESS_REFUSED: u16 = 403;
    /// not-found.
    pub const NOT_FOUND: u16 = 404;
    /// resource-locked: somebody else's exclusive queue.
    pub const RESOURCE_LOCKED: u16 = 405;
    /// precondition-failed.
    pub const PRECONDITION_FAILED: u16 = 406;
    /// resource-error: the broker is short of something, or a stream's replica is not here.
    pub const RESOURCE_ERROR: u16 = 506;
    /// not-allowed: among others no such virtual host, or no access to it.
    pub const NOT_ALLOWED: u16 = 530;
    /// not-implemented: a queue of that type cannot do it.
    pub const NOT_IMPLEMENTED: u16 = 540;
    /// internal-error: among others a queue without a quorum.
    pub const INTERNAL_ERROR: u16 = 541;
}

/// What a call of lapin's is told where the connection was gone already, and for no reason.
pub const UNEXPLAINED: &str = "the connection is closed";

/// What to do about an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The connection or the channel is gone, or the broker cannot just now: try again. The text
    /// says why.
    Lost(String),
    /// The broker said no with this reply code: it will say so again.
    Refused {
        /// The AMQP reply code.
        code: u16,
        /// The broker's sentence, without its leading `NOT_FOUND - `.
        text: String,
    },
    /// One side does not keep to the protocol: trying again meets the same.
    Protocol(String),
}

impl Trouble {
    /// A question that was not answered in time.
    pub fn unanswered() -> Self {
        Trouble::Lost("the broker does not answer".to_owned())
    }

    /// As a failure, for a tool that does not try again.
    pub fn failure(self) -> Failure {
        match self {
            Trouble::Lost(why) => Failure::new(Exit::TempFail, why),
            Trouble::Refused { code, text } => Failure::new(exit_of(code, &text), text),
            Trouble::Protocol(why) => Failure::new(Exit::Software, why),
        }
    }
}

/// What a reply of the broker's means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// It passes: worth another try within `--retry`, and 75 where that is over.
    Passes,
    /// It is refused, and will be again.
    Refused(Exit),
    /// One side breaks the protocol.
    Broken,
}

use Meaning::{Broken, Passes, Refused};

/// Every reply that there is something to say of, by its code and what its text has in it; the first
/// that fits counts. Texts are those of RabbitMQ 3.10.8, 4.0.5 and 4.3.6, from their modules and as
/// they come when nodes are stopped and killed; where not all three have one, the row says who has.
#[rustfmt::skip]
const REPLIES: &[(u16, &str, Meaning)] = &[
    (reply::CONTENT_TOO_LARGE, "", Refused(Exit::DataErr)),
    (reply::NO_ROUTE, "", Refused(Exit::DataErr)),
    // A shutdown, an operator, maintenance mode.
    (reply::CONNECTION_FORCED, "", Passes),
    (reply::ACCESS_REFUSED, "refused for user", Refused(Exit::NoPerm)),
    // Somebody else is its only consumer.
    (reply::ACCESS_REFUSED, "in exclusive use", Passes),
    (reply::ACCESS_REFUSED, "", Refused(Exit::NoPerm)),
    // First, because a name may be anything.
    (reply::NOT_FOUND, "no queue '", Refused(Exit::DataErr)),
    (reply::NOT_FOUND, "no exchange '", Refused(Exit::DataErr)),
    // A classic queue whose node is down (3.10), or stops or is down (4.0, 4.3): it comes back with it.
    (reply::NOT_FOUND, "is down or inaccessible", Passes),
    (reply::NOT_FOUND, "process is stopped by supervisor", Passes),
    (reply::NOT_FOUND, "has crashed and failed to restart", Passes),
    // "its master replica" in 3.10, "its leader" from 4.0 on.
    (reply::NOT_FOUND, "may be stopping or being demoted", Passes),
    (reply::NOT_FOUND, "due to timeout", Passes),
    (reply::NOT_FOUND, "", Refused(Exit::DataErr)),
    // basic.get of a quorum queue with a single active consumer.
    (reply::RESOURCE_LOCKED, "are not supported by", Refused(Exit::DataErr)),
    // Another connection's exclusive queue: it goes with that.
    (reply::RESOURCE_LOCKED, "", Passes),
    // Up to 4.2 a reader that pauses for half an hour costs the channel; the messages are back in the
    // queue, and come again.
    (reply::PRECONDITION_FAILED, "delivery acknowledgement on channel", Passes),
    // A stream's replica on this node is down, or not up yet; another host's may be (3.10; from 4.0 on).
    (reply::PRECONDITION_FAILED, "does not have a replica on the local node", Passes),
    (reply::PRECONDITION_FAILED, "does not have a running replica on the local node", Passes),
    // From 4.0 on.
    (reply::PRECONDITION_FAILED, "failed consuming from stream", Passes),
    // lapin closes the channel itself over a confirm of what nobody published.
    (reply::PRECONDITION_FAILED, "received for inexistant delivery_tag", Broken),
    (reply::PRECONDITION_FAILED, "", Refused(Exit::DataErr)),
    // No stream coordinator, no local replica; from 4.0 on a classic queue that is down is not deleted.
    (reply::RESOURCE_ERROR, "", Passes),
    // Limits on connections (of a vhost, a user; of a node from 4.0 on) and on channels may be met by
    // ones that are dead and not noticed yet.
    (reply::NOT_ALLOWED, "limit (", Passes),
    (reply::NOT_ALLOWED, "limit of ", Passes),
    (reply::NOT_ALLOWED, "limit cannot be queried", Passes),
    // A virtual host is down for a moment while its node starts.
    (reply::NOT_ALLOWED, "' is down", Passes),
    (reply::NOT_ALLOWED, "refused", Refused(Exit::NoPerm)),
    (reply::NOT_ALLOWED, "", Refused(Exit::DataErr)),
    (reply::NOT_IMPLEMENTED, "", Refused(Exit::DataErr)),
    // A feature that this release does not permit (4.0, 4.3).
    (reply::INTERNAL_ERROR, "is deprecated", Refused(Exit::DataErr)),
    // A quorum queue or a metadata store without a leader, a virtual host that is down, a node that
    // stops.
    (reply::INTERNAL_ERROR, "", Passes),
];

/// The name of a code, which RabbitMQ sends alone where it has nothing to say.
const NAMELESS: [(&str, &str); 2] = [
    ("INTERNAL_ERROR", "the broker had an error of its own, as while a queue has no leader"),
    ("RESOURCE_ERROR", "the broker is short of something"),
];

fn meaning(code: u16, text: &str) -> Meaning {
    let fits = |(of, says, _): &&(u16, &str, Meaning)| *of == code && text.contains(says);
    match (REPLIES.iter().find(fits), code) {
        (Some((.., meaning)), _) => *meaning,
        (None, 501..=505) => Broken,
        (None, _) => Refused(Exit::Software),
    }
}

/// Whether a connection was lost for `why` because the broker allows no more channels at once: a
/// user's limit (from 3.10 on) or a node's (from 4.0 on). What channel_max says is agreed upon before.
pub fn is_of_channels(why: &str) -> bool {
    why.starts_with("number of channels opened ")
}

/// Which exit status a refusal ends with.
fn exit_of(code: u16, text: &str) -> Exit {
    match meaning(code, text) {
        Refused(exit) => exit,
        Passes => Exit::TempFail,
        Broken => Exit::Software,
    }
}

/// Reads an error of lapin's.
pub fn trouble(error: &lapin::Error) -> Trouble {
    match error.kind() {
        ErrorKind::IOError(io)
            if let Some(unreadable) =
                io.get_ref().and_then(|inner| inner.downcast_ref::<Unreadable>()) =>
        {
            let text = unreadable.to_string();
            match unreadable {
                Unreadable::Excess(Excess::Message { is_chosen: true, .. }) => {
                    Trouble::Refused { code: reply::CONTENT_TOO_LARGE, text }
                }
                Unreadable::Excess(Excess::Large { .. }) => Trouble::Lost(text),
                _ => Trouble::Protocol(text),
            }
        }
        ErrorKind::IOError(io) | ErrorKind::RuntimeShutdownError(io) => {
            Trouble::Lost(tls_error::in_words(io).unwrap_or_else(|| Cause(io).to_string()))
        }
        ErrorKind::MissingHeartbeatError => {
            Trouble::Lost("no heartbeat from the broker for too long".to_owned())
        }
        ErrorKind::InvalidConnectionState(_)
        | ErrorKind::InvalidChannelState(..)
        | ErrorKind::InvalidChannel(_) => Trouble::Lost(UNEXPLAINED.to_owned()),
        ErrorKind::ProtocolError(error) => refusal(error.get_id(), error.get_message().as_str()),
        // What its parser says besides is of use to nobody who reads this.
        ErrorKind::ParsingError(_) => Trouble::Protocol(
            "the broker sent what is not AMQP 0-9-1, or a short string that is not UTF-8"
                .to_owned(),
        ),
        other => Trouble::Protocol(lapin::Error::from(other.clone()).to_string()),
    }
}

/// Reads why the broker has closed a channel or a connection. A code that AMQP does not know says
/// nothing.
pub fn closed(code: u16, text: &str) -> Trouble {
    use lapin::protocol::{AMQPHardError, AMQPSoftError};
    if AMQPSoftError::from_id(code).is_some() || AMQPHardError::from_id(code).is_some() {
        refusal(code, text)
    } else {
        Trouble::Lost(UNEXPLAINED.to_owned())
    }
}

fn refusal(code: u16, text: &str) -> Trouble {
    // RabbitMQ writes `NOT_FOUND - no queue 'x' in vhost '/'`; the part people need comes after.
    let text = match text.split_once(" - ") {
        Some((name, rest)) if name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') => rest,
        _ => text,
    };
    let text = NAMELESS.iter().find(|(name, _)| *name == text).map_or(text, |(_, words)| words);
    match meaning(code, text) {
        Passes => Trouble::Lost(text.to_owned()),
        Refused(_) => Trouble::Refused { code, text: text.to_owned() },
        Broken if code == reply::PRECONDITION_FAILED => {
            Trouble::Protocol(format!("the broker confirmed what was not published: {text}"))
        }
        Broken => Trouble::Protocol(format!("the broker closed the connection: {text}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_refusal_is_told_in_the_brokers_words_and_with_its_own_exit_status() {
        let table = [
            (404, "NOT_FOUND - no queue 'q' in vhost '/'", "no queue 'q' in vhost '/'", 65),
            (403, "ACCESS_REFUSED - access refused", "access refused", 77),
            (530, "NOT_ALLOWED - vhost x not found", "vhost x not found", 65),
            (530, "NOT_ALLOWED - access to vhost 'x' refused", "access to vhost 'x' refused", 77),
            (
                530,
                "NOT_ALLOWED - access refused: connection limit (1) is reached",
                "access refused: connection limit (1) is reached",
                75,
            ),
            (
                406,
                "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out",
                "delivery acknowledgement on channel 1 timed out",
                75,
            ),
            (405, "RESOURCE_LOCKED - cannot obtain", "cannot obtain", 75),
            (320, "CONNECTION_FORCED - shutdown", "shutdown", 75),
            (
                406,
                "invalid ack received for inexistant delivery_tag 7 on channel 1",
                "the broker confirmed what was not published: invalid ack received for inexistant \
                 delivery_tag 7 on channel 1",
                70,
            ),
            (504, "CHANNEL_ERROR - x", "the broker closed the connection: x", 70),
        ];
        for (code, said, told, status) in table {
            let failure = refusal(code, said).failure();
            assert_eq!(failure.to_string(), told);
            assert_eq!(failure.exit().status(), status, "{said}");
        }
    }

    #[test]
    fn what_passes_is_told_from_what_does_not_as_each_release_says_it() {
        let passes = [
            (
                404,
                "NOT_FOUND - home node 'rmq2@localhost' of durable queue 'q' in vhost '/' is down or inaccessible",
            ),
            (404, "NOT_FOUND - queue 'q' in vhost '/' process is stopped by supervisor"),
            (404, "NOT_FOUND - queue 'q' in vhost '/' has crashed and failed to restart"),
            (
                404,
                "NOT_FOUND - failed to perform operation on queue 'q' in vhost '/' due to timeout",
            ),
            (
                404,
                "NOT_FOUND - failed to perform operation on queue 'q' in vhost '/': its leader <0.1.0> may be stopping or being demoted",
            ),
            (403, "ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use"),
            (
                405,
                "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'q' in vhost '/'. It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.",
            ),
            (
                406,
                "PRECONDITION_FAILED - queue 'queue 's' in vhost '/'' does not have a replica on the local node",
            ),
            (
                406,
                "PRECONDITION_FAILED - stream queue 's' in vhost '/' does not have a running replica on the local node",
            ),
            (506, "RESOURCE_ERROR - Stream coordinator unavailable for queue 's' in vhost '/'"),
            (
                530,
                "NOT_ALLOWED - access to vhost 'v' refused for user 'u': connection limit (1) is reached",
            ),
            (
                530,
                "NOT_ALLOWED - access to vhost 'v' refused for user 'u': connection limit cannot be queried, timeout",
            ),
            (530, "NOT_ALLOWED - connection refused: node connection limit (1) is reached"),
            (
                530,
                "NOT_ALLOWED - number of channels opened on node 'n' has reached the maximum allowed limit of (1)",
            ),
            (541, "INTERNAL_ERROR - access to vhost 'v' refused for user 'u': vhost 'v' is down"),
            (541, "INTERNAL_ERROR - failed consuming from quorum queue 'q' in vhost '/': noproc"),
            (
                541,
                "INTERNAL_ERROR - Cannot get a message from queue 'queue 'q' in vhost '/'': nodedown",
            ),
            (541, "INTERNAL_ERROR"),
            (320, "CONNECTION_FORCED - Node was put into maintenance mode"),
        ];
        for (code, said) in passes {
            assert!(matches!(refusal(code, said), Trouble::Lost(_)), "{said}");
        }
        let stays = [
            (404, "NOT_FOUND - no queue 'is down or inaccessible' in vhost '/'", 65),
            (530, "NOT_ALLOWED - vhost limit not found", 65),
            (530, "NOT_ALLOWED - access to vhost 'limit' refused for user 'u'", 77),
            (404, "NOT_FOUND - no exchange 'e' in vhost '/'", 65),
            (
                403,
                "ACCESS_REFUSED - read access to queue 'q' in vhost '/' refused for user 'u'",
                77,
            ),
            (
                405,
                "RESOURCE_LOCKED - cannot obtain access to locked queue 'q' in vhost '/'. basic.get operations are not supported by quorum queues with single active consumer",
                65,
            ),
            (
                406,
                "PRECONDITION_FAILED - cannot declare queue 'q': queue limit in vhost '/' (1) is reached",
                65,
            ),
            (540, "NOT_IMPLEMENTED - queue 'q' in vhost '/' does not support global qos", 65),
            (541, "INTERNAL_ERROR - Feature `transient_nonexcl_queues` is deprecated.", 65),
        ];
        for (code, said, status) in stays {
            let trouble = refusal(code, said);
            assert!(matches!(trouble, Trouble::Refused { .. }), "{said}");
            assert_eq!(trouble.failure().exit().status(), status, "{said}");
        }
        let nameless = refusal(541, "INTERNAL_ERROR").failure().to_string();
        assert!(nameless.contains("no leader"), "{nameless}");
    }

    #[test]
    fn every_row_of_the_table_is_reached() {
        for (index, (code, says, meaning)) in REPLIES.iter().enumerate() {
            let first = REPLIES.iter().position(|(of, text, _)| of == code && says.contains(text));
            assert_eq!(first, Some(index), "{code} {says} {meaning:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_broker_says_has_a_documented_exit_status(
            code in prop_oneof![any::<u16>(), 300u16..320, 400u16..410, 500u16..550],
            text in "([A-Z_]{0,12} - )?(no |vhost |access |delivery acknowledgement )?\\PC{0,60}",
        ) {
            let status = refusal(code, &text).failure().exit().status();
            prop_assert!([65, 70, 75, 77].contains(&status), "{code} {text}: {status}");
        }
    }
}
