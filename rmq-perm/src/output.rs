//! Standard output: a listing as a table, or in a format for programs.

mod cell;
mod json;
mod private;
mod separated;
mod table;

pub use cell::{cell, given};
pub use private::write_private;

use rmq_common::failure::Failure;
use std::io::{ErrorKind, IsTerminal, Write};
use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns under a header.
    Table,
    /// A line for each row, a tab between two values, no header.
    Tsv,
    /// Comma-separated values with a header (RFC 4180).
    Csv,
    Json,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "table" => Ok(Format::Table),
            "tsv" => Ok(Format::Tsv),
            "csv" => Ok(Format::Csv),
            "json" => Ok(Format::Json),
            _ => Err(format!("'{text}' is not a format; use table, tsv, csv or json")),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Column {
    name: &'static str,
    /// Whether a table aligns it to the right.
    right: bool,
    implied: bool,
}

impl Column {
    pub fn text(name: &'static str) -> Self {
        Column { name, right: false, implied: false }
    }

    pub fn number(name: &'static str) -> Self {
        Column { right: true, ..Column::text(name) }
    }

    /// The same column, left out of a table if `implied`: the listing was requested by its value, so
    /// every row has the same. Formats for programs keep it, because listings may be combined.
    pub fn implied_if(self, implied: bool) -> Self {
        Column { implied, ..self }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A name or pattern.
    Text(Vec<u8>),
    /// Several names, in no particular order.
    Texts(Vec<Vec<u8>>),
    Number(u64),
    /// A structured value, as JSON.
    Json(String),
    Unknown,
}

impl Value {
    /// The value in a table or for awk(1): an empty one is `-`, because awk skips an empty field.
    fn in_a_line(&self) -> Vec<u8> {
        match self {
            Value::Texts(texts) if texts.is_empty() => b"-".to_vec(),
            Value::Unknown => b"-".to_vec(),
            value => value.bytes(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Value::Text(text) => text.clone(),
            Value::Texts(texts) => texts.join(&b","[..]),
            Value::Number(number) => number.to_string().into(),
            Value::Json(json) => json.clone().into(),
            Value::Unknown => Vec::new(),
        }
    }
}

/// Rows of values under named columns.
#[derive(Debug)]
pub struct Listing {
    columns: Vec<Column>,
    rows: Vec<Vec<Value>>,
}

impl Listing {
    /// A listing with no rows yet.
    pub fn new(columns: impl Into<Vec<Column>>) -> Self {
        Listing { columns: columns.into(), rows: Vec::new() }
    }

    /// Adds a row, a value for each column.
    pub fn push(&mut self, row: impl Into<Vec<Value>>) {
        self.rows.push(row.into());
    }

    /// Writes it to standard output; without `format`, a terminal gets a table.
    ///
    /// # Errors
    /// Standard output refuses it (74). A reader that has gone away is not an error.
    pub fn print(&self, format: Option<Format>) -> Result<(), Failure> {
        let by_itself = if std::io::stdout().is_terminal() { Format::Table } else { Format::Tsv };
        let text = match format.unwrap_or(by_itself) {
            Format::Table => table::table(self),
            Format::Tsv => separated::tsv(self),
            Format::Csv => return write(&separated::csv(self)),
            Format::Json => json::json(self),
        };
        write(text.as_bytes())
    }

    /// The listing as CSV.
    pub fn csv(&self) -> Vec<u8> {
        separated::csv(self)
    }

    /// The columns that are not implied, with a row's values for them.
    fn shown<'a, T>(&'a self, row: &'a [T]) -> impl Iterator<Item = (&'a Column, &'a T)> {
        self.columns.iter().zip(row).filter(|(column, _)| !column.implied)
    }
}

/// Writes to standard output.
///
/// # Errors
/// Standard output refuses it (74). A reader that has gone away is not an error.
pub fn write(bytes: &[u8]) -> Result<(), Failure> {
    match written(bytes) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(refused(&error)),
        _ => Ok(()),
    }
}

/// Writes something that must be read to standard output.
///
/// # Errors
/// Standard output refuses it, or its reader has gone away (74).
pub fn write_needed(bytes: &[u8]) -> Result<(), Failure> {
    written(bytes).map_err(|error| refused(&error))
}

fn written(bytes: &[u8]) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    output.write_all(bytes).and_then(|()| output.flush())
}

fn refused(error: &std::io::Error) -> Failure {
    Failure::io("write to standard output", error)
}

#[cfg(test)]
fn example() -> Listing {
    let implied = Column::text("vhost").implied_if(true);
    let columns = [implied, Column::text("name"), Column::number("messages"), Column::text("tags")];
    let mut listing = Listing::new(columns);
    let text = |text: &str| Value::Text(text.into());
    let tags = Value::Texts(vec![b"a".to_vec(), b"b,c".to_vec()]);
    listing.push([text("/"), text("a\"\t"), Value::Number(12_345_678_901), tags]);
    listing.push([text("/"), text("größer"), Value::Unknown, Value::Texts(vec![])]);
    listing.push([text("/"), text(""), Value::Number(0), Value::Json(r#"{"x":1}"#.to_owned())]);
    listing
}
