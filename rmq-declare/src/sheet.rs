//! `--csv`: the file, as it is read and as it is written again.

use crate::columns::Columns;
use csv::{StringRecord, Terminator, WriterBuilder};
use rmq_common::failure::Failure;
use rmq_common::sheet::{self, Row};

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

impl Sheet {
    /// Reads the file `path`, or standard input where that is `-`.
    ///
    /// # Errors
    /// It cannot be read (74), or its header row names no columns (65).
    pub fn open(path: &str) -> Result<Self, Failure> {
        Self::of(sheet::Sheet::open(path)?)
    }

    fn of(sheet::Sheet { name, header, rows }: sheet::Sheet) -> Result<Self, Failure> {
        let columns =
            Columns::of(&header).map_err(|why| Failure::data(format!("{name}: {why}")))?;
        Ok(Sheet { header, columns, rows })
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
        Sheet::of(sheet::Sheet::read("f.csv", text)?)
    }

    #[test]
    fn a_header_that_names_no_queue_is_refused() {
        assert_eq!(read(b"max-length\n5\n").unwrap_err().exit().status(), 65);
        assert!(read(b"queue\n").unwrap().rows.is_empty());
    }

    #[test]
    fn a_queue_with_a_line_break_behind_it_is_read() {
        let sheet = read(b"queue,arg\na,\n\n\"b\",\"x=\n1\"\r\nc,x\n").unwrap();
        assert_eq!(sheet.columns.queue(sheet.rows[1].cells.as_ref().unwrap()), "b");
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let cells = ["a,b", "say \"hi\"", "line\nbreak", "", "é", "''"];
        let text = format!("queue,arg,arg,arg,arg,arg\n{}", written(cells));
        let sheet = read(text.as_bytes()).unwrap();
        assert_eq!(sheet.rows[0].cells.as_ref().unwrap(), &StringRecord::from(&cells[..]));
    }
}
