//! What a record is called in a diagnostic: `line 17`, or `app.log: line 3 (record 17)`.

use crate::input::marks::Marks;
use std::sync::{Arc, Mutex, PoisonError};

/// Which records come from which file. Shared between the thread that reads and the one that reports.
#[derive(Clone, Debug)]
pub struct Positions {
    unit: &'static str,
    /// Where records are in files that are followed.
    marks: Option<Marks>,
    /// The files begun so far, and the number of each one's first record. Empty for standard input.
    files: Arc<Mutex<Vec<(u64, String)>>>,
}

impl Positions {
    /// For records called `unit`.
    pub fn new(unit: &'static str) -> Self {
        Positions { unit, marks: None, files: Arc::default() }
    }

    /// Records of followed files are named by the byte they begin at, because their lines are not
    /// counted from the beginning.
    #[must_use]
    pub fn by_byte(self, marks: Marks) -> Self {
        Positions { marks: Some(marks), ..self }
    }

    /// The record `number` is the first of the file `name`.
    pub fn begin(&self, name: &str, number: u64) {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).push((number, name.to_owned()));
    }

    /// What the record `number` is called.
    pub fn of(&self, number: u64) -> String {
        let unit = self.unit;
        if let Some((name, byte)) = self.marks.as_ref().and_then(|marks| marks.of(number)) {
            return format!("{name}: {unit} at byte {byte}");
        }
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = files.partition_point(|(first, _)| *first <= number);
        match behind.checked_sub(1).and_then(|index| files.get(index)) {
            // In the first file, records are counted as if it were alone.
            Some((1, name)) => format!("{name}: {unit} {number}"),
            Some((first, name)) => {
                format!("{name}: {unit} {} (record {number})", number - first + 1)
            }
            None => format!("{unit} {number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_named_by_its_place_in_its_file() {
        let positions = Positions::new("line");
        assert_eq!(positions.of(17), "line 17");
        positions.begin("a.log", 1);
        positions.begin("empty", 4);
        positions.begin("b.log", 4);
        assert_eq!(positions.of(3), "a.log: line 3");
        assert_eq!(positions.of(4), "b.log: line 1 (record 4)");
    }
}
