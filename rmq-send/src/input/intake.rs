//! What was read and has not entered the window yet.

use crate::input::reader::{Input, Reader};
use crate::record::item::Item;
use std::collections::VecDeque;

/// The reader, and what it has handed over.
#[derive(Debug)]
pub struct Intake {
    reader: Reader,
    items: VecDeque<Item>,
    is_over: bool,
}

impl Intake {
    /// Takes what `reader` reads.
    pub fn new(reader: Reader) -> Self {
        Intake { reader, items: VecDeque::new(), is_over: false }
    }

    /// Whether to ask the reader for more.
    pub fn is_hungry(&self) -> bool {
        !self.is_over && self.items.is_empty()
    }

    /// Whether everything that was read has entered the window.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether the reader has reported the end.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// What the reader reports next.
    pub async fn next(&self) -> Input {
        self.reader.next().await
    }

    /// Adds items that were read.
    pub fn extend(&mut self, items: Vec<Item>) {
        self.items.extend(items);
    }

    /// Notes that the reader has reported the end.
    pub fn end(&mut self) {
        self.is_over = true;
    }

    /// The next item, if `admits` accepts it.
    pub fn pop_if(&mut self, admits: impl FnOnce(&Item) -> bool) -> Option<Item> {
        if admits(self.items.front()?) { self.items.pop_front() } else { None }
    }

    /// All that was read and has not entered the window.
    pub fn take(&mut self) -> VecDeque<Item> {
        std::mem::take(&mut self.items)
    }

    /// Asks the reader to stop; what it has already read still comes.
    pub fn stop(&mut self) {
        self.reader.stop();
    }
}
