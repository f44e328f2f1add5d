//! Turns pieces of input into numbered records.

use crate::input::cut::Cut;
use crate::record::compose::Composer;
use crate::record::item::{Bad, Item, Raw};
use rmq_common::failure::Failure;

/// Numbers the records of a run, from 1.
#[derive(Debug)]
pub struct Numbering {
    /// Records so far.
    count: u64,
    max_size: usize,
    /// Whether reading continues after a record that cannot be sent.
    beyond_bad: bool,
}

impl Numbering {
    /// For records of at most `max_size` bytes.
    pub fn new(max_size: usize, beyond_bad: bool) -> Self {
        Numbering { count: 0, max_size, beyond_bad }
    }

    /// The number of the next record.
    pub fn next(&self) -> u64 {
        self.count + 1
    }

    /// Turns `cuts` into items; false if nothing after them is wanted.
    pub fn items(&mut self, composer: &Composer, cuts: &mut Vec<Cut>) -> (Vec<Item>, bool) {
        let mut items = Vec::with_capacity(cuts.len());
        for cut in cuts.drain(..) {
            let item = match cut {
                Cut::Record(raw) => {
                    self.count += 1;
                    match composer.compose(self.count, raw.clone()) {
                        Ok(record) => Item::Record(record),
                        Err(why) => {
                            let raw = Raw::Whole(raw);
                            Item::Bad(Bad { number: self.count, raw, why })
                        }
                    }
                }
                Cut::TooLong { bytes, more } => {
                    self.count += 1;
                    let max_size = self.max_size;
                    let why = Failure::data(format!("longer than --max-size {max_size}"));
                    let raw = Raw::Begun { bytes, more };
                    Item::Bad(Bad { number: self.count, raw, why })
                }
                Cut::Rest { bytes, more } => Item::Rest { bytes, more },
            };
            let bad = matches!(item, Item::Bad(_));
            items.push(item);
            if bad && !self.beyond_bad {
                return (items, false);
            }
        }
        (items, true)
    }
}
