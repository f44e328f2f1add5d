//! CSV files: a header row, rows, and their line numbers. What is between the rows, and how each
//! cell was written, is kept, so that a row can be written again unchanged.

mod split;

use crate::cli::failure::Failure;
use crate::cli::standard_streams;
use csv::{ByteRecord, ReaderBuilder, StringRecord};
pub use split::Written;
use split::{Split, Splitter};
use std::fs::File;
use std::io::{self, Read};

/// A file that has been read.
#[derive(Debug)]
pub struct Sheet {
    /// Its name in failures.
    pub name: String,
    /// The header row, without unnamed columns at its end.
    pub header: StringRecord,
    /// The header row as it was written.
    pub written: Written,
    /// The rows.
    pub rows: Vec<Row>,
    /// What follows the last row, as it was written.
    pub rest: String,
    /// What separates the cells.
    pub delimiter: char,
    /// What was left out, to be reported to its author.
    pub notices: Vec<String>,
}

/// A row, and the line on which it begins.
#[derive(Debug)]
pub struct Row {
    /// From 1. If something is wrong with its quotes, the line on which they open.
    pub line: u64,
    /// Its cells; a sentence if they are not UTF-8, or its quotes are wrong. Blanks at the ends of
    /// cells are removed, except in quotes, and so are empty cells beyond the header.
    pub cells: Result<StringRecord, String>,
    /// The same as it was written.
    pub written: Written,
}

impl Sheet {
    /// Reads the file `path`, or standard input if that is `-`.
    ///
    /// # Errors
    /// It cannot be read (74), or has no header row (65).
    pub fn open(path: &str) -> Result<Self, Failure> {
        if path == "-" {
            standard_streams::input()?;
            return Self::read("standard input", io::stdin().lock());
        }
        standard_streams::named(path)?;
        let file = File::open(path).map_err(|error| Failure::io(format!("read {path}"), &error))?;
        Self::read(path, file)
    }

    /// Reads `input`, called `name` in failures.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn read(name: &str, mut input: impl Read) -> Result<Self, Failure> {
        let mut text = Vec::new();
        input
            .read_to_end(&mut text)
            .map_err(|error| Failure::io(format!("read {name}"), &error))?;
        // With a byte order mark, or beginning with an ASCII letter.
        let begins = |bytes: &[u8]| text.starts_with(bytes);
        if begins(b"\xff\xfe") || begins(b"\xfe\xff") || text.iter().take(2).any(|it| *it == 0) {
            let why = format!("read {name}: it is UTF-16 (save it as CSV in UTF-8)");
            return Err(Failure::data(why));
        }
        let mut splitter = Splitter::new(&text);
        let delimiter = splitter.delimiter();
        let mut reader = ReaderBuilder::new();
        reader.has_headers(false).flexible(true).delimiter(delimiter).comment(Some(b'#'));
        let mut reader = reader.from_reader(text.get(splitter.begin()..).unwrap_or_default());
        let unreadable = |error: csv::Error| Failure::data(format!("read {name}: {error}"));
        let mut left_out = LeftOut::default();
        let mut record = ByteRecord::new();
        let mut header: Option<(StringRecord, Written)> = None;
        let mut rows: Vec<Row> = Vec::new();
        let mut read = 0;
        while reader.read_byte_record(&mut record).map_err(unreadable)? {
            let Split { line, written, fault } = splitter.next(read);
            // The reader treats a comment at the end of the file without a line end as a row.
            if written.end.is_empty() && written.cells.iter().all(String::is_empty) {
                break;
            }
            let cells = match fault {
                Some((_, why)) => Err(why.to_owned()),
                None => StringRecord::from_byte_record(record.clone())
                    .map(|cells| left_out.blanks(&cells, &written.cells, line))
                    .map_err(|_| "it is not UTF-8".to_owned()),
            };
            // A row of empty cells, as spreadsheets leave them, counts as text between the rows.
            if cells.as_ref().is_ok_and(|cells| cells.iter().all(str::is_empty)) {
                continue;
            }
            let line = fault.map_or(line, |(opens, _)| opens);
            read = splitter.position();
            left_out.comments(&written.before);
            match (&header, cells) {
                (None, Ok(cells)) => header = Some((without_end(&cells, 0), written)),
                (None, Err(why)) => {
                    return Err(Failure::data(format!("{name}: line {line}: {why}")));
                }
                (Some((header, _)), cells) => {
                    let cells = cells.map(|cells| without_end(&cells, header.len()));
                    rows.push(Row { line, cells, written });
                }
            }
        }
        let Some((header, written)) = header else {
            return Err(Failure::data(format!("{name}: no header row")));
        };
        let rest = String::from_utf8_lossy(text.get(read..).unwrap_or_default()).into_owned();
        left_out.comments(&rest);
        let (name, delimiter) = (name.to_owned(), char::from(delimiter));
        let mut notices = left_out.notices(&name);
        if rows.is_empty() {
            notices.push(format!("{name}: no row follows the header row"));
        }
        Ok(Sheet { name, header, written, rows, rest, delimiter, notices })
    }
}

/// The same without the empty cells at its end beyond `kept`.
fn without_end(cells: &StringRecord, kept: usize) -> StringRecord {
    let filled = cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()).last();
    let filled = filled.map_or(0, |(last, _)| last + 1);
    cells.iter().take(filled.max(kept)).collect()
}

/// What is in the file but not meant as data.
#[derive(Default)]
struct LeftOut {
    comments: u64,
    /// The first of them.
    comment: String,
    blanks: u64,
    first_blank: u64,
}

impl LeftOut {
    fn comments(&mut self, between: &str) {
        for line in between.lines().map(|line| line.trim_start_matches('\u{feff}')) {
            if line.starts_with('#') {
                if self.comments == 0 {
                    self.comment = line.chars().take(30).collect();
                }
                self.comments += 1;
            }
        }
    }

    /// The cells without blanks at their ends, except in quotes.
    fn blanks(&mut self, cells: &StringRecord, written: &[String], line: u64) -> StringRecord {
        let mut trimmed = StringRecord::new();
        for (index, cell) in cells.iter().enumerate() {
            let quoted = written.get(index).is_some_and(|cell| cell.starts_with('"'));
            let bare = cell.trim();
            if quoted || bare == cell {
                trimmed.push_field(cell);
                continue;
            }
            trimmed.push_field(bare);
            // A cell of blanks alone decides nothing.
            if !bare.is_empty() {
                self.blanks += 1;
                self.first_blank = if self.blanks == 1 { line } else { self.first_blank };
            }
        }
        trimmed
    }

    fn notices(&self, name: &str) -> Vec<String> {
        let comment = match self.comments {
            0 => None,
            1 => Some(format!("the line '{}' is a comment", self.comment)),
            count => Some(format!("{count} lines are comments, the first '{}'", self.comment)),
        };
        let comment = comment
            .map(|what| format!("{name}: {what} (a name that begins with # is written in quotes)"));
        let blanks = (self.blanks > 0).then(|| {
            let (line, more) = (self.first_blank, self.blanks - 1);
            let more = if more > 0 { format!(", and {more} more") } else { String::new() };
            format!(
                "{name}: line {line}: blanks at the ends of a cell are left out{more} (quotes keep \
                 them)"
            )
        });
        comment.into_iter().chain(blanks).collect()
    }
}

/// A cell as CSV, in quotes if it would otherwise be read as something else.
pub fn quoted(cell: &[u8], delimiter: char) -> Vec<u8> {
    let text = String::from_utf8_lossy(cell);
    let needs = text.contains([delimiter, '"', '\n', '\r'])
        || text.starts_with(['#', '\u{feff}'])
        || text.trim() != text;
    if !needs {
        return cell.to_vec();
    }
    let doubled = cell
        .iter()
        .flat_map(|byte| if *byte == b'"' { &b"\"\""[..] } else { std::slice::from_ref(byte) });
    [b'"'].iter().chain(doubled).chain(b"\"").copied().collect()
}

#[cfg(test)]
mod tests;
