//! `--csv`: the file as read and as written again.

use crate::plan::columns::Columns;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::failure::Failure;
use rmq_common::sheet::{self, Row, Written, quoted};

#[derive(Debug)]
pub struct Sheet {
    name: String,
    /// The header row as written.
    pub header: Written,
    pub columns: Columns,
    pub rows: Vec<Row>,
    /// What follows the last row.
    pub rest: String,
    /// What was ignored, for a notice.
    notices: Vec<String>,
    delimiter: char,
}

impl Sheet {
    /// Reads the file `path`, or standard input if it is `-`.
    ///
    /// # Errors
    /// It cannot be read (74), or its header row names no columns (65).
    pub fn open(path: &str) -> Result<Self, Failure> {
        Self::of(sheet::Sheet::open(path)?)
    }

    fn of(sheet: sheet::Sheet) -> Result<Self, Failure> {
        let sheet::Sheet { name, header, written, rows, rest, delimiter, notices } = sheet;
        let columns =
            Columns::of(&header).map_err(|why| Failure::data(format!("{name}: {why}")))?;
        Ok(Sheet { name, header: written, columns, rows, rest, notices, delimiter })
    }

    /// Reports that it was read, and what was ignored in it.
    pub fn report(&self, diagnostics: Diagnostics) {
        diagnostics.trace(&format!("reading {}", self.name));
        for notice in &self.notices {
            diagnostics.notice(notice);
        }
    }

    /// A row as written, without the comments before it.
    pub fn same(&self, written: &Written) -> String {
        written.cells.join(&self.delimiter.to_string()) + &written.end
    }

    /// The same with other values in some cells, from the first on; `None` keeps the value.
    pub fn changed(&self, written: &Written, cells: &[Option<String>]) -> String {
        let mut row = written.clone();
        for (place, cell) in row.cells.iter_mut().zip(cells) {
            if let Some(cell) = cell {
                let cell = quoted(cell.as_bytes(), self.delimiter);
                *place = String::from_utf8_lossy(&cell).into_owned();
            }
        }
        self.same(&row)
    }

    /// A comment for the line before a row.
    pub fn comment(&self, text: &str) -> String {
        let end = if self.header.end == "\r\n" { "\r\n" } else { "\n" };
        format!("# {text}{end}")
    }
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
    fn a_row_comes_out_as_it_was_but_for_what_changes() {
        let sheet = read(b"queue;arg;type;\r\n\"a\" ;x=\"1\";;\r\n").unwrap();
        let written = &sheet.rows[0].written;
        assert_eq!(sheet.same(written), "\"a\" ;x=\"1\";;\r\n");
        let changed =
            sheet.changed(written, &[None, Some("y;\"".to_owned()), Some("classic".to_owned())]);
        assert_eq!(changed, "\"a\" ;\"y;\"\"\";classic;\r\n");
        assert_eq!(sheet.comment("x"), "# x\r\n");
    }
}
