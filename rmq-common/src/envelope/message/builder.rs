//! Builds values and tables.

use super::encoded::Encoded;
use super::name::Name;
use super::table::{self, Table};
use super::value::Value;

impl Value<'_> {
    /// Whether it and everything in it is `good`.
    pub fn all(&self, good: impl Fn(&Value<'_>) -> bool) -> bool {
        table::all(*self, good)
    }
}

/// Builds a value or a table from its start.
#[derive(Debug, Default)]
pub struct Builder {
    bytes: Vec<u8>,
    /// The positions of the lengths of open containers.
    open: Vec<usize>,
}

impl Builder {
    /// The number of open tables and arrays.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// The name of the next value, in a table.
    pub fn name(&mut self, name: &Name) {
        name.put(&mut self.bytes);
    }

    /// A value.
    pub fn value(&mut self, value: Value<'_>) {
        value.put(&mut self.bytes);
    }

    /// Starts a table: names and values follow.
    pub fn begin_table(&mut self) {
        self.begin(b'F');
    }

    /// Starts an array: values follow.
    pub fn begin_array(&mut self) {
        self.begin(b'A');
    }

    fn begin(&mut self, kind: u8) {
        self.bytes.push(kind);
        self.open.push(self.bytes.len());
        self.bytes.extend([0; 4]);
    }

    /// Ends the innermost container.
    pub fn end(&mut self) {
        let Some(at) = self.open.pop() else { return };
        let length = u32::try_from(self.bytes.len() - at - 4).unwrap_or(u32::MAX);
        if let Some(place) = self.bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
    }

    /// The result, if it consists of names and values.
    pub fn table(self) -> Table {
        Table::of(self.bytes)
    }

    /// The result, if it is one value.
    pub fn encoded(self) -> Encoded {
        Encoded::of(self.bytes)
    }
}
