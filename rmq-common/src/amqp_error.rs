//! What an error of lapin's means to the person who reads it, and whether trying again can help.

use crate::exit::Exit;
use crate::failure::{Cause, Failure};
use crate::frames::Unreadable;
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
    /// resource-error: the broker is short of something.
    pub const RESOURCE_ERROR: u16 = 506;
    /// not-allowed: among others no such virtual host, or no access to it.
    pub const NOT_ALLOWED: u16 = 530;
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

/// Which exit status a refusal ends with.
fn exit_of(code: u16, text: &str) -> Exit {
    match code {
        reply::ACCESS_REFUSED => Exit::NoPerm,
        reply::NOT_ALLOWED if text.contains("refused") => Exit::NoPerm,
        reply::RESOURCE_LOCKED => Exit::TempFail,
        reply::NOT_FOUND
        | reply::PRECONDITION_FAILED
        | reply::NOT_ALLOWED
        | reply::NO_ROUTE
        | reply::CONTENT_TOO_LARGE => Exit::DataErr,
        _ => Exit::Software,
    }
}

/// Reads an error of lapin's.
pub fn trouble(error: &lapin::Error) -> Trouble {
    match error.kind() {
        ErrorKind::IOError(io) if io.get_ref().is_some_and(|inner| inner.is::<Unreadable>()) => {
            Trouble::Protocol(io.to_string())
        }
        ErrorKind::IOError(io) | ErrorKind::RuntimeShutdownError(io) => {
            Trouble::Lost(Cause(io).to_string())
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

fn refusal(code: u16, text: &str) -> Trouble {
    // RabbitMQ writes `NOT_FOUND - no queue 'x' in vhost '/'`; the part people need comes after.
    let text = match text.split_once(" - ") {
        Some((name, rest)) if name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') => rest,
        _ => text,
    };
    match code {
        reply::CONNECTION_FORCED | reply::RESOURCE_ERROR | reply::INTERNAL_ERROR => {
            Trouble::Lost(text.to_owned())
        }
        // A limit on connections may be met by ones that are dead and not noticed yet.
        reply::NOT_ALLOWED if text.contains("limit") => Trouble::Lost(text.to_owned()),
        // Up to RabbitMQ 4.2 a reader that pauses for half an hour costs the channel; the messages
        // are back in the queue, and come again.
        reply::PRECONDITION_FAILED if text.starts_with("delivery acknowledgement") => {
            Trouble::Lost(text.to_owned())
        }
        // A virtual host is down for a moment while its node starts.
        reply::NOT_ALLOWED if text.ends_with("is down") => Trouble::Lost(text.to_owned()),
        // A classic queue whose node is down is not gone; it comes back with its node.
        reply::NOT_FOUND if text.contains("down or inaccessible") => Trouble::Lost(text.to_owned()),
        // lapin closes the channel itself over a confirm of what nobody published.
        reply::PRECONDITION_FAILED if text.contains("received for inexistant delivery_tag") => {
            Trouble::Protocol(format!("the broker confirmed what was not published: {text}"))
        }
        501..=505 => Trouble::Protocol(format!("the broker closed the connection: {text}")),
        _ => Trouble::Refused { code, text: text.to_owned() },
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
