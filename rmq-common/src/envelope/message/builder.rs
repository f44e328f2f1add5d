//! Values and tables, put together.

use super::encoded::Encoded;
use super::name::Name;
use super::table::{self, Table};
use super::value::Value;

impl Value<'_> {
    /// Whether it and all within it are `good`.
    pub fn all(&self, good: impl Fn(&Value<'_>) -> bool) -> bool {
        table::all(*self, good)
    }
}

/// A value or a table that is put together from its beginning on.
#[derive(Debug, Default)]
pub struct Builder {
    bytes: Vec<u8>,
    /// Where what has begun has its length.
    open: Vec<usize>,
}

impl Builder {
    /// How many tables and arrays have begun and not ended.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// The name of the value that comes next, in a table.
    pub fn name(&mut self, name: &Name) {
        name.put(&mut self.bytes);
    }

    /// A value.
    pub fn value(&mut self, value: Value<'_>) {
        value.put(&mut self.bytes);
    }

    /// A table begins: names and values follow.
    pub fn begin_table(&mut self) {
        self.begin(b'F');
    }

    /// An array begins: values follow.
    pub fn begin_array(&mut self) {
        self.begin(b'A');
    }

    fn begin(&mut self, kind: u8) {
        self.bytes.push(kind);
        self.open.push(self.bytes.len());
        self.bytes.extend([0; 4]);
    }

    /// The last that has begun ends.
    pub fn end(&mut self) {
        let Some(at) = self.open.pop() else { return };
        let length = u32::try_from(self.bytes.len() - at - 4).unwrap_or(u32::MAX);
        if let Some(place) = self.bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
    }

    /// What was put together, where that is names and values.
    pub fn table(self) -> Table {
        Table::of(self.bytes)
    }

    /// What was put together, where that is one value.
    pub fn encoded(self) -> Encoded {
        Encoded::of(self.bytes)
    }
}
