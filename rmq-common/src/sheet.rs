//! CSV files: a header row, rows, and the lines they stand on.

use crate::failure::Failure;
use crate::standard_streams;
use csv::{ByteRecord, ReaderBuilder, StringRecord};
use std::fs::File;
use std::io::{self, Read};

/// A file that has been read.
#[derive(Debug)]
pub struct Sheet {
    /// What a failure calls it.
    pub name: String,
    /// The header row.
    pub header: StringRecord,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A row, and the line on which it begins.
#[derive(Debug)]
pub struct Row {
    /// From 1.
    pub line: u64,
    /// What is on it; a sentence where that is not UTF-8.
    pub cells: Result<StringRecord, String>,
}

impl Sheet {
    /// Reads the file `path`, or standard input where that is `-`.
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

    /// Reads `input`, which failures call `name`.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn read(name: &str, mut input: impl Read) -> Result<Self, Failure> {
        let mut text = Vec::new();
        input
            .read_to_end(&mut text)
            .map_err(|error| Failure::io(format!("read {name}"), &error))?;
        let mut reader =
            ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_slice());
        let unreadable = |error: csv::Error| Failure::data(format!("read {name}: {error}"));
        let mut lines = Lines::of(&text);
        let mut record = ByteRecord::new();
        let mut header = None;
        let mut rows = Vec::new();
        while reader.read_byte_record(&mut record).map_err(unreadable)? {
            let line = lines.number(record.position().map_or(0, csv::Position::byte));
            let cells = StringRecord::from_byte_record(record.clone())
                .map_err(|_| "it is not UTF-8".to_owned());
            match (&header, cells) {
                (None, Ok(cells)) => header = Some(cells),
                (None, Err(why)) => {
                    return Err(Failure::data(format!("{name}: line {line}: {why}")));
                }
                (Some(_), cells) => rows.push(Row { line, cells }),
            }
        }
        let Some(header) = header else {
            return Err(Failure::data(format!("{name}: there is no header row")));
        };
        Ok(Sheet { name: name.to_owned(), header, rows })
    }
}

/// Counts lines. The reader's own count is of the line where the record before has ended, which
/// blank lines and `\r\n` put off.
struct Lines<'a> {
    rest: &'a [u8],
    at: u64,
    line: u64,
}

impl<'a> Lines<'a> {
    fn of(text: &'a [u8]) -> Self {
        Lines { rest: text, at: 0, line: 1 }
    }

    /// The line of the first record behind `byte`, which only grows.
    fn number(&mut self, byte: u64) -> u64 {
        while let Some((first, rest)) = self.rest.split_first() {
            if self.at >= byte && !matches!(first, b'\r' | b'\n') {
                break;
            }
            self.line += u64::from(*first == b'\n');
            self.at += 1;
            self.rest = rest;
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_know_their_lines_across_blank_lines_and_line_breaks_in_cells() {
        // With the mark that spreadsheets put before it.
        let text = b"\xef\xbb\xbfqueue,arg\na,\n\n\"b\",\"x=\n1\"\r\nc,x\n";
        let sheet = Sheet::read("f.csv", &text[..]).unwrap();
        let lines: Vec<u64> = sheet.rows.iter().map(|row| row.line).collect();
        assert_eq!(lines, [2, 4, 6]);
        assert_eq!(&sheet.rows[1].cells.as_ref().unwrap()[0], "b");
        assert_eq!(&sheet.header[0], "queue");
    }

    #[test]
    fn a_row_that_is_not_utf8_is_that_rows_problem() {
        let sheet = Sheet::read("f.csv", &b"queue\na\n\xff\nb\n"[..]).unwrap();
        let whole: Vec<bool> = sheet.rows.iter().map(|row| row.cells.is_ok()).collect();
        assert_eq!(whole, [true, false, true]);
    }

    #[test]
    fn a_file_without_a_header_is_refused() {
        for text in [&b""[..], b"\n\n", b"\xff\n"] {
            assert_eq!(Sheet::read("f", text).unwrap_err().exit().status(), 65, "{text:?}");
        }
        assert!(Sheet::read("f", &b"queue\n"[..]).unwrap().rows.is_empty());
    }
}
