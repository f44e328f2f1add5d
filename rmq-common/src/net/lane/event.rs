//! What arrives on a lane.

use super::content::Content;

/// What arrives on a lane, in the broker's order.
#[derive(Debug)]
pub enum Event {
    /// The broker confirms a publish, or all up to it.
    Ack {
        /// Its delivery tag; 0 with `multiple` means all.
        tag: u64,
        /// Whether all up to it are meant.
        multiple: bool,
    },
    /// The broker does not accept a publish, or all up to it.
    Nack {
        /// Its delivery tag; 0 with `multiple` means all.
        tag: u64,
        /// Whether all up to it are meant.
        multiple: bool,
    },
    /// No queue accepted a message.
    Returned {
        /// The broker's words.
        reason: String,
        /// The message.
        content: Content,
    },
    /// A message for a consumer, or one that was fetched.
    Delivered {
        /// Its delivery tag.
        tag: u64,
        /// Whether it was delivered before.
        redelivered: bool,
        /// The message.
        content: Content,
    },
    /// The queue from which a message was to be fetched has none ready.
    Empty,
    /// A consumer has ended: it receives nothing more.
    Cancelled {
        /// Its tag.
        consumer: Vec<u8>,
        /// Whether the broker has ended it, without a request.
        by_broker: bool,
    },
    /// The broker has closed the channel, or the connection.
    Closed {
        /// Its reply code.
        code: u16,
        /// Its words.
        text: String,
    },
    /// Nothing more comes: the channel or the connection was closed on our side, or is lost.
    Ended,
}
