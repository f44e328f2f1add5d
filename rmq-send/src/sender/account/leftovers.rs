//! What is left over when a run ends: sent and not answered, or read and not sent.

use crate::record::item::{Bad, Item, Record};
use crate::results::leaving::Leaving;
use crate::results::ranges::Ranges;
use crate::sender::window::Window;

/// The records left over. They go to the rejects, if there are any, in the order of the input.
#[derive(Debug, Default)]
pub struct Leftovers {
    /// Those that are not kept yet.
    records: Vec<Record>,
    pub(super) unknown: Ranges,
    unsent: Ranges,
}

impl Leftovers {
    /// Takes what is in the window; records whose fate is known leave it as usual.
    pub fn take(&mut self, window: &mut Window, leaving: &mut Leaving) {
        self.unknown = window.unknown().collect();
        self.unsent = window.unsent().collect();
        while let Some((record, fate)) = window.evict() {
            match fate {
                Some(fate) => {
                    self.keep(leaving);
                    leaving.left(record, fate);
                }
                None => self.records.push(record),
            }
        }
        self.keep(leaving);
    }

    /// Adds what was read and never entered the window.
    pub fn add(&mut self, item: Item, leaving: &mut Leaving) {
        match item {
            Item::Record(record) => {
                self.unsent.insert(record.number);
                self.records.push(record);
            }
            Item::Bad(Bad { number, raw, .. }) => {
                self.keep(leaving);
                self.unsent.insert(number);
                leaving.keep_left_over_bad(number, raw);
            }
            Item::Rest { bytes, more } => {
                self.keep(leaving);
                leaving.rest(bytes, more);
            }
        }
    }

    /// Keeps what is not kept yet.
    pub fn keep(&mut self, leaving: &mut Leaving) {
        leaving.keep_left_over(std::mem::take(&mut self.records));
    }

    /// How many records are left over.
    pub fn count(&self) -> u64 {
        self.unknown.count() + self.unsent.count()
    }

    /// Those that were sent and not answered, and those that were never sent.
    pub fn into_ranges(self) -> (Ranges, Ranges) {
        (self.unknown, self.unsent)
    }
}
