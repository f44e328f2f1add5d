//! Standard output: a listing as a table for people, or as tab-separated values for pipes.

use rmq_common::exit::Exit;
use rmq_common::failure::{Cause, Failure};
use std::io::{ErrorKind, IsTerminal, Write};
use std::str::FromStr;

/// How a listing looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns under a header.
    Table,
    /// A line for each row, a tab between two values, no header.
    Tsv,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "table" => Ok(Format::Table),
            "tsv" => Ok(Format::Tsv),
            _ => Err(format!("'{text}' is no format; there are table and tsv")),
        }
    }
}

/// A column of a listing.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    name: &'static str,
    /// Whether a table aligns it to the right.
    right: bool,
}

impl Column {
    /// A column of texts.
    pub fn text(name: &'static str) -> Self {
        Column { name, right: false }
    }

    /// A column of numbers.
    pub fn number(name: &'static str) -> Self {
        Column { name, right: true }
    }
}

/// The value, or `-` where there is none. An empty field would make awk count the others wrong.
pub fn or_unknown(value: Option<Vec<u8>>) -> Vec<u8> {
    value.unwrap_or_else(|| b"-".to_vec())
}

/// Rows of values under named columns.
#[derive(Debug)]
pub struct Listing {
    columns: Vec<Column>,
    rows: Vec<Vec<Vec<u8>>>,
}

impl Listing {
    /// A listing with no rows yet.
    pub fn new(columns: impl Into<Vec<Column>>) -> Self {
        Listing { columns: columns.into(), rows: Vec::new() }
    }

    /// Adds a row, a value for each column.
    pub fn push(&mut self, row: impl Into<Vec<Vec<u8>>>) {
        self.rows.push(row.into());
    }

    /// Writes it to standard output; where `format` is not given, a terminal gets a table.
    ///
    /// # Errors
    /// When standard output refuses it (74). A reader that has gone away is no error.
    pub fn print(&self, format: Option<Format>) -> Result<(), Failure> {
        let mut output = std::io::stdout().lock();
        let by_itself = if output.is_terminal() { Format::Table } else { Format::Tsv };
        let text = match format.unwrap_or(by_itself) {
            Format::Table => self.table(),
            Format::Tsv => self.tsv(),
        };
        match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::new(Exit::IoErr, format!("write the listing: {}", Cause(&error))))
            }
            _ => Ok(()),
        }
    }

    fn tsv(&self) -> String {
        let mut text = String::new();
        for row in &self.rows {
            let values: Vec<String> = row.iter().map(|value| escape(value, is_special)).collect();
            text.push_str(&values.join("\t"));
            text.push('\n');
        }
        text
    }

    fn table(&self) -> String {
        let header = self.columns.iter().map(|column| column.name.to_owned()).collect();
        let rows = self.rows.iter().map(|row| row.iter().map(|value| shown(value)).collect());
        let lines: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
        let width = |column| {
            lines
                .iter()
                .filter_map(|line| line.get(column))
                .map(|value: &String| value.chars().count())
                .max()
        };
        let widths: Vec<usize> = (0..self.columns.len()).filter_map(width).collect();
        let mut text = String::new();
        for line in &lines {
            let cells = line.iter().zip(&self.columns).zip(&widths);
            let cells = cells.map(|((value, column), &width)| {
                if column.right { format!("{value:>width$}") } else { format!("{value:<width$}") }
            });
            text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
            text.push('\n');
        }
        text
    }
}

/// A value in a table, where an empty one would not be seen.
fn shown(value: &[u8]) -> String {
    if value.is_empty() { "''".to_owned() } else { escape(value, char::is_control) }
}

/// What would break a line, or steer a terminal; and the backslash that tells of it. In a table a
/// backslash stands for itself: patterns are full of them, and only people read it.
fn is_special(character: char) -> bool {
    character == '\\' || character.is_control()
}

/// The value with the characters that `must` not stand there as they are written as `\t`, `\n`,
/// `\r`, `\\` or `\xNN`; as `\xNN` too each byte that is not UTF-8.
fn escape(value: &[u8], must: fn(char) -> bool) -> String {
    let mut text = String::with_capacity(value.len());
    for chunk in value.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                _ if !must(character) => text.push(character),
                '\\' => text.push_str("\\\\"),
                '\t' => text.push_str("\\t"),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                _ => {
                    let mut bytes = [0; 4];
                    hex(character.encode_utf8(&mut bytes).as_bytes(), &mut text);
                }
            }
        }
        hex(chunk.invalid(), &mut text);
    }
    text
}

fn hex(bytes: &[u8], text: &mut String) {
    for byte in bytes {
        text.push_str(&format!("\\x{byte:02x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing() -> Listing {
        let columns = [Column::text("name"), Column::number("messages"), Column::text("state")];
        let mut listing = Listing::new(columns);
        listing.push([b"a".to_vec(), b"12345678901".to_vec(), b"running".to_vec()]);
        listing.push(["größer".into(), b"-".to_vec(), b"".to_vec()]);
        listing
    }

    #[test]
    fn a_table_has_a_header_and_aligned_columns() {
        let wanted = "name       messages  state\n\
                      a       12345678901  running\n\
                      größer            -  ''\n";
        assert_eq!(listing().table(), wanted);
    }

    #[test]
    fn tab_separated_values_are_one_line_each_and_nothing_else() {
        assert_eq!(listing().tsv(), "a\t12345678901\trunning\ngrößer\t-\t\n");
    }

    #[test]
    fn a_value_cannot_break_its_line_or_its_column() {
        let odd = b"a\tb\nc\rd\\e\xfff\x1bg\x7f";
        assert_eq!(escape(odd, is_special), "a\\tb\\nc\\rd\\\\e\\xfff\\x1bg\\x7f");
    }

    #[test]
    fn a_value_cannot_steer_the_terminal() {
        assert_eq!(shown("\x1b[2J\u{9b}^a\\d".as_bytes()), "\\x1b[2J\\xc2\\x9b^a\\d");
    }
}
