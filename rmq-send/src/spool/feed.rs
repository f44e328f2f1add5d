//! The thread that brings records back from the spool, to be sent.

use crate::input::reader::{End, Input};
use crate::record::envelope;
use crate::record::item::{Bad, Item, Raw};
use crate::spool::disk::Replay;
use bytes::Bytes;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::failure::Failure;
use rmq_common::thread;
use std::sync::{Arc, Mutex, PoisonError};

/// Maps the records of this run to sequence numbers of the spool. Damage in the spool leaves gaps
/// in its numbers; a run's numbers have none.
#[derive(Clone, Debug, Default)]
pub struct Sequences(Arc<Mutex<Vec<(u64, u64)>>>);

impl Sequences {
    /// From the record `number` on, sequence numbers continue from `sequence`.
    fn begin(&self, number: u64, sequence: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((number, sequence));
    }

    /// The sequence number of the record `number`.
    pub fn of(&self, number: u64) -> u64 {
        let parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = parts.partition_point(|(first, _)| *first <= number);
        match behind.checked_sub(1).and_then(|index| parts.get(index)) {
            Some((first, sequence)) => sequence + (number - first),
            None => 0,
        }
    }
}

/// Starts the thread; it hands records over as if they had just been read.
pub fn start(
    replay: Replay,
    diagnostics: Diagnostics,
) -> Result<(flume::Receiver<Input>, Sequences), Failure> {
    let sequences = Sequences::default();
    let (sender, receiver) = flume::bounded(1);
    let thread = Thread { replay, diagnostics, sequences: sequences.clone(), number: 0, next: 0 };
    thread::start("replay", move || thread.run(&sender))
        .map_err(|error| Failure::io("start to read the spool", &error))?;
    Ok((receiver, sequences))
}

struct Thread {
    replay: Replay,
    diagnostics: Diagnostics,
    sequences: Sequences,
    /// Records handed over so far.
    number: u64,
    /// The sequence number of the next, if there is no gap.
    next: u64,
}

impl Thread {
    fn run(mut self, sender: &flume::Sender<Input>) {
        let end = loop {
            let batch = match self.replay.next() {
                Ok(Some(batch)) => batch,
                Ok(None) => break End::Finished,
                Err(failure) => break End::Failed(failure),
            };
            if let Some(damage) = &batch.damage {
                self.diagnostics.notice(&format!("spool {damage}"));
            }
            let records = batch.records();
            let items: Vec<Item> =
                records.map(|(sequence, payload)| self.item(sequence, payload)).collect();
            if !items.is_empty() && sender.send(Input::Items(items)).is_err() {
                return;
            }
        };
        // The receiver is gone only if the tool is ending anyway.
        let _ = sender.send(Input::End(end));
    }

    fn item(&mut self, sequence: u64, payload: &[u8]) -> Item {
        self.number += 1;
        if sequence != self.next {
            self.sequences.begin(self.number, sequence);
        }
        self.next = sequence + 1;
        let raw = Bytes::copy_from_slice(payload);
        match envelope::record(self.number, raw.clone()) {
            Ok(record) => Item::Record(record),
            Err(why) => Item::Bad(Bad { number: self.number, raw: Raw::Whole(raw), why }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_without_gaps_find_sequence_numbers_with_them() {
        let sequences = Sequences::default();
        sequences.begin(1, 101);
        sequences.begin(4, 110);
        assert_eq!([1, 3, 4, 6].map(|number| sequences.of(number)), [101, 103, 110, 112]);
    }
}
