//! The window's entries, and what it gives out.

use crate::record::item::{Message, Record};
use crate::results::fate::Fate;

#[derive(Debug)]
pub struct Entry {
    pub record: Record,
    pub state: State,
    /// The broker's reason for returning it; the confirm that follows then means failure.
    pub returned: Option<String>,
    /// How often a connection was lost while it was in flight.
    pub losses: u32,
    /// After that, how often a connection was lost while it was alone in flight.
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
    /// Its fate is final; it leaves after those before it.
    Settled(Fate),
}

/// What the end of a connection says about the records in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Suspicion {
    /// From here on, records go one by one.
    pub begins: bool,
    /// The record that was alone in flight, and how many connections have ended that way.
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
