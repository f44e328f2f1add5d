//! Where each record ends in its followed file, until it is done.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// The end of a record.
#[derive(Clone, Debug)]
pub struct Mark {
    /// The record's number.
    pub number: u64,
    /// Which file it is in, by the follower's numbering.
    pub file: u64,
    /// The file's name.
    pub name: Arc<str>,
    /// Its first byte, counted from 0.
    pub begins: u64,
    /// The first byte after it.
    pub ends: u64,
}

/// The marks of all records that are not done, in the order of their numbers. Shared between the
/// thread that reads and the sender.
#[derive(Clone, Debug, Default)]
pub struct Marks(Arc<Mutex<VecDeque<Mark>>>);

impl Marks {
    /// Adds the marks of records that were read.
    pub fn extend(&self, marks: impl IntoIterator<Item = Mark>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(marks);
    }

    /// Removes and returns the marks of the records up to `number`.
    pub fn take(&self, number: u64) -> Vec<Mark> {
        let mut marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let done = marks.partition_point(|mark| mark.number <= number);
        marks.drain(..done).collect()
    }

    /// The file and the first byte of the record `number`, if it is not done.
    pub fn of(&self, number: u64) -> Option<(Arc<str>, u64)> {
        let marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = marks.get(marks.partition_point(|mark| mark.number < number))?;
        (mark.number == number).then(|| (Arc::clone(&mark.name), mark.begins))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_found_until_it_is_done() {
        let marks = Marks::default();
        let mark =
            |number, begins, ends| Mark { number, file: 0, name: Arc::from("a.log"), begins, ends };
        // The end of record 2 came in two pieces.
        marks.extend([mark(1, 0, 5), mark(2, 5, 9), mark(2, 5, 12), mark(3, 12, 13)]);
        assert_eq!(marks.of(2), Some((Arc::from("a.log"), 5)));
        let done: Vec<u64> = marks.take(2).iter().map(|mark| mark.ends).collect();
        assert_eq!(done, [5, 9, 12]);
        assert_eq!(marks.of(2), None);
        assert_eq!(marks.of(3), Some((Arc::from("a.log"), 12)));
    }
}
