//! A table of headers.

use super::encoded::Encoded;
use super::name::Name;
use super::value::{Fields, Items, Value};
use std::fmt;

/// The maximum nesting of tables and arrays in a header's value.
///
/// Nothing here takes stack for it, but clients that recurse do, lapin among them. Measured through
/// a broker, its thread (2 MiB of stack, Rust's default) reads 1950 nested tables in a release
/// build and 780 in a debug build, arrays slightly deeper; then the stack overflows and the process
/// dies. So nothing that comes near is sent or read.
pub const MAX_DEPTH: usize = 500;

/// A table in wire format, without its length. It is well-formed, and nested no deeper than
/// [`MAX_DEPTH`].
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Table(Vec<u8>);

/// An open container: a table or an array.
enum Open<'a> {
    Fields(Fields<'a>),
    Items(Items<'a>),
}

impl<'a> Open<'a> {
    fn of(value: Value<'a>) -> Option<Self> {
        match value {
            Value::Table(fields) => Some(Open::Fields(fields)),
            Value::Array(items) => Some(Open::Items(items)),
            _ => None,
        }
    }

    fn next(&mut self) -> Option<Value<'a>> {
        match self {
            Open::Fields(fields) => fields.next().map(|field| field.value),
            Open::Items(items) => items.next(),
        }
    }

    fn is_at_end(&self) -> bool {
        match self {
            Open::Fields(fields) => fields.rest().is_empty(),
            Open::Items(items) => items.rest().is_empty(),
        }
    }
}

/// Whether a value and everything in it is well-formed and `good`.
pub(super) fn all<'a>(value: Value<'a>, mut good: impl FnMut(&Value<'a>) -> bool) -> bool {
    if !good(&value) {
        return false;
    }
    let mut open: Vec<Open<'a>> = Open::of(value).into_iter().collect();
    while let Some(last) = open.last_mut() {
        match last.next() {
            Some(value) if !good(&value) => return false,
            Some(value) => open.extend(Open::of(value)),
            None if last.is_at_end() => drop(open.pop()),
            None => return false,
        }
        if open.len() > MAX_DEPTH + 1 {
            return false;
        }
    }
    true
}

impl Table {
    /// A table from these bytes; `None` if they are malformed, or nested too deep.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        all(Value::Table(Fields::new(bytes)), |_| true).then(|| Table(bytes.to_vec()))
    }

    /// A table from bytes that are known to be well-formed.
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        Table(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it has no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Its fields, in order.
    pub fn fields(&self) -> Fields<'_> {
        Fields::new(&self.0)
    }

    /// Whether it has a field of this name.
    pub fn has(&self, name: &[u8]) -> bool {
        self.fields().any(|field| field.name == name)
    }

    /// Adds a field.
    pub fn push(&mut self, name: &Name, value: &Encoded) {
        name.put(&mut self.0);
        self.0.extend_from_slice(value.as_bytes());
    }

    /// The fields whose name does not satisfy `goes`, unchanged.
    #[must_use]
    pub fn without(&self, goes: impl Fn(&[u8]) -> bool) -> Self {
        let rest = self.fields().filter(|field| !goes(field.name));
        Table(rest.flat_map(|field| field.raw).copied().collect())
    }

    /// Adds the fields of another table.
    pub fn append(&mut self, other: &Table) {
        self.0.extend_from_slice(&other.0);
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fields().fmt(f)
    }
}
