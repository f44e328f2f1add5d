//! The json envelope: one AMQP 0-9-1 message as one JSON object on one line.
//!
//! `rmq-recv --format json` writes it and `rmq-send --format json` reads it, and a message is
//! unchanged after both: names, properties and body byte for byte, headers with their types and
//! order. rmq(7), THE JSON ENVELOPE, describes the members and the types.
//!
//! Lines come from any source, so parsing neither panics nor recurses; errors name the column
//! ([`Malformed`]). Nesting still has a limit ([`MAX_DEPTH`](crate::envelope::message::MAX_DEPTH)),
//! for the sake of other clients.

pub mod ack_line;
mod decode;
mod encode;
pub mod frame;
mod marks;
mod members;
pub mod message;
mod plain;
pub mod timestamp;

#[cfg(test)]
mod tests;

pub use decode::headers::header_value;
pub use decode::malformed::Malformed;
pub use members::Envelope;
