//! What a broker may send that must not be read any further, which ends the connection.

use super::wire::FRAME_MAX;
use crate::envelope::message::MAX_DEPTH;
use std::fmt;

/// Why the stream is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// A frame announces this size.
    Oversized(u32),
    /// A method has a size that no method has.
    LongMethod(u32),
    /// Tables and arrays are nested too deeply.
    Nested,
    /// A message is announced before the previous one is complete.
    Unfinished,
    /// It blocks, unblocks, pauses or cancels again and again.
    Flood,
    /// It confirms more than can be unconfirmed.
    Confirms,
    /// A message is too large, or there are more of them than requested.
    Excess(Excess),
    /// A frame violates AMQP.
    Malformed,
}

/// What is wrong with the amount that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Excess {
    /// A message has `size` bytes, and only `most` are allowed; by the user, if `is_chosen`.
    Message { size: u64, most: u64, is_chosen: bool },
    /// More waits than was requested, in messages and in bytes.
    Unasked { count: usize, bytes: u64 },
    /// No more messages wait than were requested, but more bytes than expected.
    Large { bytes: u64 },
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::Oversized(size) => write!(
                f,
                "the broker sent a frame of {size} bytes, where {FRAME_MAX} were agreed upon"
            ),
            Unreadable::LongMethod(size) => {
                write!(f, "the broker sent a method of {size} bytes, which AMQP does not know")
            }
            Unreadable::Nested => write!(
                f,
                "the broker sent tables nested more than {MAX_DEPTH} deep, which are not read; if \
                 they are a message's headers, another client has to take it from the queue"
            ),
            Unreadable::Unfinished => {
                f.write_str("the broker announced a message in the middle of another")
            }
            Unreadable::Flood => f.write_str(
                "the broker blocked, unblocked, paused or cancelled a thousand times within a second",
            ),
            Unreadable::Confirms => f.write_str("the broker confirmed more than was published"),
            Unreadable::Malformed => f.write_str("the broker sent data that is not AMQP 0-9-1"),
            Unreadable::Excess(Excess::Message { size, most, is_chosen: true }) => {
                write!(
                    f,
                    "a message of {size} bytes is larger than --max-size {most}; it stays there"
                )
            }
            Unreadable::Excess(Excess::Message { size, most, .. }) => {
                write!(f, "the broker sent a message of {size} bytes, more than {most}")
            }
            Unreadable::Excess(Excess::Unasked { count, bytes }) => write!(
                f,
                "the broker sent more than was asked for: {count} messages of {bytes} bytes wait"
            ),
            Unreadable::Excess(Excess::Large { bytes }) => write!(
                f,
                "messages of {bytes} bytes wait, more than --prefetch-bytes holds; fewer at once"
            ),
        }
    }
}

impl std::error::Error for Unreadable {}
