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
pub mod message;
mod plain;
pub mod timestamp;

#[cfg(test)]
mod tests;

pub use decode::headers::header_value;
pub use decode::malformed::Malformed;

use crate::envelope::message::{Name, Properties};
use std::borrow::Cow;

/// The member whose value is a table as it stands, though names in it begin with `$`.
const TABLE: &str = "$table";
/// The member whose value is a string in base64.
const STRING: &str = "$string_base64";
/// The member whose value is the byte of a boolean.
const BOOLEAN: &str = "$boolean";

/// One message, and what is known about its delivery.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Envelope<'a> {
    /// The delivery's own name, by which `--ack-to` says that it is done.
    pub id: Option<Cow<'a, str>>,
    /// More envelopes with this `id` follow; it is done with the first that has no more.
    pub more: bool,
    /// The exchange that it was published to, or shall be.
    pub exchange: Option<Name>,
    /// The routing key that it was published with, or shall be.
    pub routing_key: Option<Name>,
    /// The broker has delivered it before.
    pub redelivered: bool,
    /// How often the broker has counted a delivery of it before.
    pub delivery_count: Option<u64>,
    /// `"delivery_mode":null`: the message has none, which is more than saying nothing about it.
    /// A message that is sent again then has none either.
    pub no_delivery_mode: bool,
    /// The fourteen basic properties, headers among them.
    pub properties: Properties,
    /// The body; in a pipeline, none says that the filter has dropped the message.
    pub body: Option<Cow<'a, [u8]>>,
}

impl<'a> Envelope<'a> {
    /// Reads a line, without its newline. A body without escapes is borrowed from it.
    ///
    /// # Errors
    /// What is wrong with it, and in which column.
    pub fn decode(line: &'a [u8]) -> Result<Self, Malformed> {
        decode::decode(line)
    }

    /// Appends it as one line, without a newline. A body that is UTF-8 is written as text, else
    /// in base64; what is not set is left out, and so is a flag that is false.
    pub fn encode(&self, out: &mut Vec<u8>) {
        encode::encode(self, out);
    }
}
