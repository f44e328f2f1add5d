//! CSV files: a header row, rows, and the lines they stand on. What lies between the rows, and how
//! each cell was written, is kept, so that a row can be written again as it was.

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
    /// What a failure calls it.
    pub name: String,
    /// The header row, without the columns at its end that have no name.
    pub header: StringRecord,
    /// The header row as it was written.
    pub written: Written,
    /// The rows.
    pub rows: Vec<Row>,
    /// What follows the last row, as it was written.
    pub rest: String,
    /// What separates the cells.
    pub delimiter: char,
    /// What was left out, for its writer to know.
    pub notices: Vec<String>,
}

/// A row, and the line on which it begins.
#[derive(Debug)]
pub struct Row {
    /// From 1. If something is wrong with quotes, the line on which they open.
    pub line: u64,
    /// What is on it; a sentence if that is not UTF-8, or its quotes are wrong. Blanks at the ends of cells are left out,
    /// but in quotes, and so are empty cells beyond the header.
    pub cells: Result<StringRecord, String>,
    /// The same as it was written.
    pub written: Written,
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
        // With its mark, or beginning with a letter of ASCII.
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
            // The reader takes a comment that ends the file without a line's end for a row.
            if written.end.is_empty() && written.cells.iter().all(String::is_empty) {
                break;
            }
            let cells = match fault {
                Some((_, why)) => Err(why.to_owned()),
                None => StringRecord::from_byte_record(record.clone())
                    .map(|cells| left_out.blanks(&cells, &written.cells, line))
                    .map_err(|_| "it is not UTF-8".to_owned()),
            };
            // A row of empty cells, as spreadsheets leave one, belongs to what is between the rows.
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

/// The same without the empty cells at its end that stand beyond `kept`.
fn without_end(cells: &StringRecord, kept: usize) -> StringRecord {
    let filled = cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()).last();
    let filled = filled.map_or(0, |(last, _)| last + 1);
    cells.iter().take(filled.max(kept)).collect()
}

/// What is in the file and not meant.
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

    /// The cells without the blanks at their ends, where they are not in quotes.
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
            // A cell that is nothing else says nothing either way.
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

/// A cell as CSV, in quotes if it would be read as something else without.
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &[u8]) -> Sheet {
        Sheet::read("f.csv", text).unwrap()
    }

    fn cells(sheet: &Sheet) -> Vec<Vec<&str>> {
        sheet.rows.iter().map(|row| row.cells.as_ref().unwrap().iter().collect()).collect()
    }

    /// All of it, as it was written.
    fn whole(sheet: &Sheet) -> String {
        let rows = std::iter::once(&sheet.written).chain(sheet.rows.iter().map(|it| &it.written));
        let rows = rows.map(|Written { before, cells, end }| {
            format!("{before}{}{end}", cells.join(&sheet.delimiter.to_string()))
        });
        rows.collect::<String>() + &sheet.rest
    }

    #[test]
    fn rows_know_their_lines_across_blank_lines_and_line_breaks_in_cells() {
        // With the mark that spreadsheets put before it.
        let text = b"\xef\xbb\xbfqueue,arg\na,\n\n\"b\",\"x=\n1\"\r\nc,x\n";
        let sheet = read(text);
        let lines: Vec<u64> = sheet.rows.iter().map(|row| row.line).collect();
        assert_eq!(lines, [2, 4, 6]);
        assert_eq!(&sheet.rows[1].cells.as_ref().unwrap()[0], "b");
        assert_eq!(&sheet.header[0], "queue");
        assert_eq!(whole(&sheet).as_bytes(), text);
        let marks = "\u{feff}sep=;\n\u{feff}\u{feff}queue;type\na;\n";
        assert_eq!(
            (cells(&read(marks.as_bytes())), whole(&read(marks.as_bytes())).as_str()),
            (vec![vec!["a", ""]], marks)
        );
    }

    #[test]
    fn a_row_that_is_not_utf8_is_that_rows_problem() {
        let sheet = read(b"queue\na\n\xff\nb\n");
        let whole: Vec<bool> = sheet.rows.iter().map(|row| row.cells.is_ok()).collect();
        assert_eq!(whole, [true, false, true]);
    }

    #[test]
    fn a_quote_that_is_not_closed_is_named_by_its_line_and_swallows_no_row() {
        for (text, line, why) in [
            ("q,x,k\nu3,x,k\nu4,x,\"k\nu5,x,k\n", 3, "never closed"),
            ("q,x,k\nu3,x,k\n\"u4\n\",x,\"k\nu5,x,k\n", 4, "never closed"),
            ("q,x,k\nu3,x,k\n\"", 3, "never closed"),
            ("q,x,k\nu3,x,k\nu4,x,\"k\"\"\n", 3, "never closed"),
            ("q,x,k\nu3,x,k\nu4,x,\"k\nu5,x,\"k\"\n", 3, "has more quotes"),
        ] {
            let sheet = read(text.as_bytes());
            let [first, bad] = &sheet.rows[..] else { panic!("{text:?}: {:?}", sheet.rows) };
            assert_eq!(first.cells.as_ref().unwrap(), &["u3", "x", "k"][..]);
            assert_eq!(bad.line, line, "{text:?}");
            assert!(bad.cells.as_ref().unwrap_err().contains(why), "{text:?}: {bad:?}");
            assert_eq!(whole(&sheet), text);
        }
        let told = Sheet::read("f", &b"queue,\"type\na,\n"[..]).unwrap_err();
        assert_eq!(told.exit().status(), 65);
        assert!(told.to_string().contains("f: line 1: a quote opens here"), "{told}");
    }

    #[test]
    fn a_file_without_a_header_is_refused() {
        for text in [&b""[..], b"\n\n", b"\xff\n", b"# queue\n", b"\xff\xfeq\0", b"q\0\n\0"] {
            assert_eq!(Sheet::read("f", text).unwrap_err().exit().status(), 65, "{text:?}");
        }
        let utf16 = Sheet::read("f", &b"q\0\n\0"[..]).unwrap_err();
        assert!(utf16.to_string().contains("it is UTF-16"), "{utf16}");
    }

    #[test]
    fn a_file_without_rows_gives_a_notice() {
        for text in ["queue\n", "queue", "# x\nqueue\n,\n# y\n"] {
            let sheet = read(text.as_bytes());
            let last = sheet.notices.last().map(String::as_str);
            assert_eq!(last, Some("f.csv: no row follows the header row"), "{text:?}");
            assert_eq!(whole(&sheet), text);
        }
    }

    #[test]
    fn what_spreadsheets_put_between_cells_is_recognised() {
        for text in [
            "queue;type\na;\"x;y\"\n",
            "queue\ttype\na\tx;y\n",
            "sep=;\r\nqueue;type\r\na;\"x;y\"\r\n",
        ] {
            let sheet = read(text.as_bytes());
            assert_eq!(sheet.header, ["queue", "type"][..]);
            assert_eq!(cells(&sheet), [["a", "x;y"]]);
            assert_eq!(whole(&sheet), text);
        }
        // Only the header decides, and a comma in it is a comma.
        assert_eq!(cells(&read(b"queue,type;x\na;b,c\n")), [["a;b", "c"]]);
        assert_eq!(cells(&read(b"queue\na;b\n")), [["a;b"]]);
    }

    #[test]
    fn empty_columns_at_the_end_are_no_columns() {
        let sheet = read(b"queue,type,,\na,quorum,,\nb,,\nc,,,x\nd\n");
        assert_eq!(sheet.header, ["queue", "type"][..]);
        let wanted = [&["a", "quorum"][..], &["b", ""], &["c", "", "", "x"], &["d"]];
        assert_eq!(cells(&sheet), wanted);
    }

    #[test]
    fn rows_of_empty_cells_are_no_rows_and_are_kept_as_they_were_written() {
        let text = ",,\nqueue,type,arg\n,,\n \t, ,\na,,\n# b,,\n\"\",\"\",\"\"\nc,,\n,,\n,,\n";
        let sheet = read(text.as_bytes());
        assert_eq!(sheet.header, ["queue", "type", "arg"][..]);
        assert_eq!(cells(&sheet), [["a", "", ""], ["c", "", ""]]);
        assert_eq!(sheet.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [5, 8]);
        assert_eq!(sheet.notices.len(), 1, "{:?}", sheet.notices);
        assert!(sheet.notices[0].contains("the line '# b,,' is a comment"));
        assert_eq!(whole(&sheet), text);
        // Blanks in quotes are a name, if a strange one.
        assert_eq!(cells(&read(b"queue,type\n\" \",\n")), [[" ", ""]]);
    }

    #[test]
    fn comments_and_blanks_are_left_out_and_told_and_quotes_keep_them() {
        let text = "# queues of\nqueue , type\n orders ,quorum\n\n#old,classic\n\"#new\",\n\" kept \",\n# end";
        let sheet = read(text.as_bytes());
        assert_eq!(sheet.header, ["queue", "type"][..]);
        let wanted = [["orders", "quorum"], ["#new", ""], [" kept ", ""]];
        assert_eq!(cells(&sheet), wanted);
        assert_eq!(sheet.rows[1].line, 6);
        assert_eq!(sheet.notices.len(), 2, "{:?}", sheet.notices);
        assert!(sheet.notices[0].contains("3 lines are comments, the first '# queues of'"));
        assert!(sheet.notices[1].contains("line 2: blanks at the ends of a cell"));
        assert_eq!(whole(&sheet), text);
        assert!(read(b"queue\na\n").notices.is_empty());
    }

    proptest! {
        /// The reader and the splitter see the same rows and cells in any text.
        #[test]
        fn what_is_kept_is_what_was_written(
            text in "(q|,|;|\"|\"\"|\n|\r\n|\r|#|\t| |é|sep=;\n|\u{feff}){0,40}",
            header in prop_oneof![Just(""), Just("a,b\n"), Just("a;b\n"), Just("\u{feff}a\n")],
        ) {
            let text = format!("{header}{text}");
            let Ok(sheet) = Sheet::read("f", text.as_bytes()) else { return Ok(()) };
            prop_assert_eq!(whole(&sheet), &*text);
            for row in &sheet.rows {
                let Ok(cells) = &row.cells else {
                    prop_assert!(row.written.cells.iter().any(|cell| cell.starts_with('"')));
                    continue;
                };
                for (cell, written) in cells.iter().zip(&row.written.cells) {
                    let plain = match written.starts_with('"') {
                        true => written.contains(cell) || written.contains('"'),
                        false => written.trim() == cell,
                    };
                    prop_assert!(plain, "{:?} {:?}", cell, written);
                }
                prop_assert!(cells.len() <= row.written.cells.len());
            }
        }

        #[test]
        fn a_cell_in_quotes_is_read_as_it_is(
            first in "(#|é| |,|;|\"|\n|\r|a|\u{feff}|\t){0,6}x?", second in "\\PC{0,6}",
        ) {
            let line = [first.as_str(), second.as_str(), "end"]
                .map(|cell| String::from_utf8(quoted(cell.as_bytes(), ',')).unwrap()).join(",");
            let sheet = Sheet::read("f", format!("a,b,c\n{line}\n").as_bytes()).unwrap();
            let row: Vec<&str> = sheet.rows[0].cells.as_ref().unwrap().iter().collect();
            prop_assert_eq!(row, [first.as_str(), second.as_str(), "end"]);
        }
    }
}
