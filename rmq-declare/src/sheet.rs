//! `--csv`: the file, as it is read and as it is written again.

use crate::columns::Columns;
use csv::{ByteRecord, ReaderBuilder, StringRecord, Terminator, WriterBuilder};
use rmq_common::failure::Failure;
use std::fs::File;
use std::io::{self, Read};

/// A file that has been read.
#[derive(Debug)]
pub struct Sheet {
    /// The header row.
    pub header: StringRecord,
    /// What it says.
    pub columns: Columns,
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
    /// It cannot be read (74), or its header row names no columns (65).
    pub fn open(path: &str) -> Result<Self, Failure> {
        if path == "-" {
            return Self::read("standard input", io::stdin().lock());
        }
        let file = File::open(path).map_err(|error| Failure::io(format!("read {path}"), &error))?;
        Self::read(path, file)
    }

    fn read(name: &str, mut input: impl Read) -> Result<Self, Failure> {
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
        let columns =
            Columns::of(&header).map_err(|why| Failure::data(format!("{name}: {why}")))?;
        Ok(Sheet { header, columns, rows })
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

/// A row as CSV, with its line's end.
pub fn written<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let mut writer =
        WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(Vec::new());
    // Memory takes whatever is written to it, and text comes out as text.
    let _ = writer.write_record(cells);
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Sheet, Failure> {
        Sheet::read("f.csv", text)
    }

    #[test]
    fn rows_know_their_lines_across_blank_lines_and_line_breaks_in_cells() {
        // With the mark that spreadsheets put before it.
        let sheet = read(b"\xef\xbb\xbfqueue,arg\na,\n\n\"b\",\"x=\n1\"\r\nc,x\n").unwrap();
        let lines: Vec<u64> = sheet.rows.iter().map(|row| row.line).collect();
        assert_eq!(lines, [2, 4, 6]);
        assert_eq!(sheet.columns.queue(sheet.rows[1].cells.as_ref().unwrap()), "b");
    }

    #[test]
    fn a_row_that_is_not_utf8_is_that_rows_problem() {
        let sheet = read(b"queue\na\n\xff\nb\n").unwrap();
        let whole: Vec<bool> = sheet.rows.iter().map(|row| row.cells.is_ok()).collect();
        assert_eq!(whole, [true, false, true]);
    }

    #[test]
    fn a_file_without_a_header_is_refused() {
        for text in [&b""[..], b"\n\n", b"\xff\n", b"max-length\n5\n"] {
            assert_eq!(read(text).unwrap_err().exit().status(), 65, "{text:?}");
        }
        assert!(read(b"queue\n").unwrap().rows.is_empty());
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let cells = ["a,b", "say \"hi\"", "line\nbreak", "", "é", "''"];
        let text = format!("queue,arg,arg,arg,arg,arg\n{}", written(cells));
        let sheet = read(text.as_bytes()).unwrap();
        assert_eq!(sheet.rows[0].cells.as_ref().unwrap(), &StringRecord::from(&cells[..]));
    }
}
