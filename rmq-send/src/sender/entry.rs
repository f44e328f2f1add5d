//! What the window holds, and what it gives out.

use crate::record::item::{Message, Record};
use crate::results::fate::Fate;

#[derive(Debug)]
pub struct Entry {
    pub record: Record,
    pub state: State,
    /// The broker's reason for returning it; its confirm, which follows, then means failure.
    pub returned: Option<String>,
    /// How often a connection was lost while it was in flight.
    pub losses: u32,
    /// How often after that a connection was lost over it alone.
    pub losses_alone: u32,
}

impl Entry {
    pub fn new(record: Record, state: State) -> Self {
        Entry { record, state, returned: None, losses: 0, losses_alone: 0 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// To be sent, for the first time or again.
    Waiting,
    /// Sent on this connection.
    InFlight,
    /// Nothing more happens to it; it leaves when those before it have left.
    Settled(Fate),
}

/// What the end of a connection says of the records that were in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Suspicion {
    /// Records go one by one from here.
    pub begins: bool,
    /// A record that was alone, and how many connections ended over it so.
    pub alone: Option<(u64, u32)>,
}

/// A record to send now.
#[derive(Debug)]
pub struct Due<'a> {
    /// The record's number.
    pub number: u64,
    pub message: &'a Message,
    /// Whether it has been sent before.
    pub again: bool,
}
