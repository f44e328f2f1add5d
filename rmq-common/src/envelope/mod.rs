//! The json envelope: one AMQP 0-9-1 message as one JSON object on one line.
//!
//! `rmq-recv --format json` writes it, `rmq-send --format json` reads it, and what goes through
//! both comes out as it was: names, properties and body byte for byte, headers with their types and in their order. The
//! members and the types stand in rmq(7), THE JSON ENVELOPE.
//!
//! Lines come from anybody, so reading neither panics nor recurses; what it refuses it names with
//! its column ([`Malformed`]). Nesting has a limit all the same ([`MAX_DEPTH`](crate::envelope::message::MAX_DEPTH)),
//! for the sake of other clients.

pub mod ack_line;
mod decode;
mod encode;
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
