//! What comes on a lane.

use super::content::Content;

/// What comes on a lane, in the broker's order.
#[derive(Debug)]
pub enum Event {
    /// The broker confirms a publish, or all up to it.
    Ack {
        /// Its delivery tag; 0 with `multiple` stands for all.
        tag: u64,
        /// All up to it.
        multiple: bool,
    },
    /// The broker does not take a publish, or all up to it.
    Nack {
        /// Its delivery tag; 0 with `multiple` stands for all.
        tag: u64,
        /// All up to it.
        multiple: bool,
    },
    /// No queue took a message.
    Returned {
        /// The broker's words.
        reason: String,
        /// The message.
        content: Content,
    },
    /// A message for a consumer, or one that was asked for.
    Delivered {
        /// Its delivery tag.
        tag: u64,
        /// It was delivered before.
        redelivered: bool,
        /// The message.
        content: Content,
    },
    /// The queue that was asked for a message has none ready.
    Empty,
    /// A consumer has ended: nothing more comes to it.
    Cancelled {
        /// Its tag.
        consumer: Vec<u8>,
        /// The broker has ended it, unasked.
        by_broker: bool,
    },
    /// The broker has closed the channel, or the connection.
    Closed {
        /// Its reply code.
        code: u16,
        /// Its words.
        text: String,
    },
    /// Nothing more comes: the channel or the connection was closed on our side, or it is lost.
    Ended,
}
