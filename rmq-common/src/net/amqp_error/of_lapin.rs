//! Interprets lapin's errors.

use super::error::{AmqpError, Lost};
use super::kinds::{Breach, Refusal};
use super::reading;
use crate::cli::failure::Cause;
use crate::net::lane::{Excess, Unreadable};
use crate::net::tls_error;
use lapin::ErrorKind;

impl From<&lapin::Error> for AmqpError {
    fn from(error: &lapin::Error) -> Self {
        match error.kind() {
            ErrorKind::IOError(io)
                if let Some(unreadable) =
                    io.get_ref().and_then(|inner| inner.downcast_ref::<Unreadable>()) =>
            {
                let text = unreadable.to_string();
                match unreadable {
                    Unreadable::Excess(Excess::Message { is_chosen: true, .. }) => {
                        AmqpError::refused(Refusal::TooLarge, text)
                    }
                    Unreadable::Excess(Excess::Large { .. }) => AmqpError::lost(text),
                    _ => AmqpError::violation(Breach::Other, text),
                }
            }
            ErrorKind::IOError(io) | ErrorKind::RuntimeShutdownError(io) => {
                AmqpError::lost(tls_error::in_words(io).unwrap_or_else(|| Cause(io).to_string()))
            }
            ErrorKind::MissingHeartbeatError => {
                AmqpError::lost("no heartbeat from the broker for too long")
            }
            ErrorKind::InvalidConnectionState(_)
            | ErrorKind::InvalidChannelState(..)
            | ErrorKind::InvalidChannel(_) => AmqpError::Lost(Lost::unexplained()),
            ErrorKind::ProtocolError(error) => {
                reading::reply(error.get_id(), error.get_message().as_str())
            }
            // The other details of its parser do not help a user.
            ErrorKind::ParsingError(_) => AmqpError::violation(
                Breach::Other,
                "the broker sent data that is not AMQP 0-9-1, or a short string that is not UTF-8",
            ),
            other => {
                let breach = match other {
                    ErrorKind::ChannelsLimitReached => Breach::Channels,
                    _ => Breach::Other,
                };
                AmqpError::violation(breach, lapin::Error::from(other.clone()).to_string())
            }
        }
    }
}
