//! The rows of a CSV file as they were written: where they begin, and their cells with the quotes.
//! It runs beside the csv crate's reader, which gives the values of the cells.

/// The byte order mark that spreadsheets put before a text in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Most likely, a quote was left open and closed by that of a later cell.
const MORE_QUOTES: &str = "a cell that opens with a quote here has more quotes after its closing one \
                           (inside quotes, a quote is written twice)";

/// A row as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Blank lines, comments and rows of empty cells before it.
    pub before: String,
    /// Its cells, with their quotes.
    pub cells: Vec<String>,
    /// The line end.
    pub end: String,
}

/// A row.
pub struct Split {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// How it was written.
    pub written: Written,
    /// What is wrong with its quotes, and the line on which they open.
    pub fault: Option<(u64, &'static str)>,
}

/// How far a row goes, in bytes from its start.
struct Extent {
    length: usize,
    /// Where each cell ends.
    ends: Vec<usize>,
    /// What is wrong with its quotes, and where they open.
    fault: Option<(usize, &'static str)>,
}

/// Iterates over a file, row by row.
pub struct Splitter<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
    delimiter: u8,
}

impl<'a> Splitter<'a> {
    /// Determines the delimiter: a comma, unless the first line names another, as spreadsheets
    /// write it (`sep=;`), or the header row is a single cell with semicolons or tabs in it.
    pub fn new(text: &'a [u8]) -> Self {
        let mut splitter = Splitter { text, at: 0, line: 1, delimiter: b',' };
        splitter.pass_marks();
        if let Some((delimiter, length)) = named(splitter.left()) {
            splitter.delimiter = delimiter;
            splitter.pass(length);
            splitter.pass_marks();
            return splitter;
        }
        let mut ahead = Splitter { ..splitter };
        ahead.pass_what_is_no_row();
        let Extent { length, ends, .. } = ahead.row();
        if ends.len() == 1 {
            let header = ahead.left().get(..length).unwrap_or_default();
            let other = [b';', b'\t'].into_iter().find(|other| header.contains(other));
            splitter.delimiter = other.unwrap_or(b',');
        }
        splitter
    }

    /// The delimiter.
    pub fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Where the first row may begin.
    pub fn begin(&self) -> usize {
        self.at
    }

    /// The next row, preceded by everything after `from`; empty at the end.
    pub fn next(&mut self, from: usize) -> Split {
        self.pass_what_is_no_row();
        let before = text(self.text.get(from..self.at));
        let (line, start) = (self.line, self.at);
        let Extent { length, ends, fault } = self.row();
        let fault = fault.map(|(at, why)| (line + self.breaks_within(at), why));
        let mut cells = Vec::with_capacity(ends.len());
        let mut begin = start;
        for end in ends {
            cells.push(text(self.text.get(begin..start + end)));
            begin = start + end + 1;
        }
        self.pass(length);
        let break_at = self.at;
        self.pass(match self.left() {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => 0,
        });
        let end = text(self.text.get(break_at..self.at));
        Split { line, written: Written { before, cells, end }, fault }
    }

    /// The present position.
    pub fn position(&self) -> usize {
        self.at
    }

    fn left(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn pass(&mut self, length: usize) {
        self.line += self.breaks_within(length);
        self.at = (self.at + length).min(self.text.len());
    }

    /// Skips what the reader would leave out at the beginning.
    fn pass_marks(&mut self) {
        while self.left().starts_with(MARK) {
            self.at += MARK.len();
        }
    }

    fn breaks_within(&self, length: usize) -> u64 {
        let within = self.left().iter().take(length);
        within.filter(|byte| **byte == b'\n').count() as u64
    }

    /// Skips empty lines and comments.
    fn pass_what_is_no_row(&mut self) {
        loop {
            let left = self.left();
            match left.first() {
                Some(b'\r' | b'\n') => self.pass(1),
                Some(b'#') => {
                    let end = left.iter().position(|byte| *byte == b'\n');
                    self.pass(end.unwrap_or(left.len()));
                }
                _ => return,
            }
        }
    }

    /// The extent of the row here.
    fn row(&self) -> Extent {
        let left = self.left();
        let mut ends = Vec::new();
        let mut fault = None;
        let mut at = 0;
        loop {
            let quote = (left.get(at) == Some(&b'"')).then_some(at);
            let closed = quote.map(|quote| after_quotes(left, quote).ok_or(quote));
            at = match closed {
                None => at,
                Some(Ok(after)) => after,
                Some(Err(quote)) => {
                    fault = fault.or(Some((quote, "a quote opens here and is never closed")));
                    left.len()
                }
            };
            let ends_cell = |byte: &u8| *byte == self.delimiter || matches!(byte, b'\r' | b'\n');
            let cell = left.get(at..).unwrap_or_default();
            let cell = cell
                .iter()
                .position(ends_cell)
                .and_then(|length| cell.get(..length))
                .unwrap_or(cell);
            if let Some(quote) = quote
                && cell.contains(&b'"')
            {
                fault = fault.or(Some((quote, MORE_QUOTES)));
            }
            at += cell.len();
            ends.push(at);
            if left.get(at) != Some(&self.delimiter) {
                return Extent { length: at, ends, fault };
            }
            at += 1;
        }
    }
}

/// The position after the quote that closes the one at `at`, if any does.
fn after_quotes(text: &[u8], mut at: usize) -> Option<usize> {
    at += 1;
    loop {
        match text.get(at..)? {
            [] => return None,
            [b'"', b'"', ..] => at += 2,
            [b'"', ..] => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// The delimiter that a first line `sep=;` names, and that line's length.
fn named(text: &[u8]) -> Option<(u8, usize)> {
    let (name, rest) = text.split_at_checked(4)?;
    let delimiter = *rest.first().filter(|byte| matches!(byte, b',' | b';' | b'\t' | b'|'))?;
    let end = match rest.get(1..)? {
        [b'\r', b'\n', ..] => 7,
        [b'\n', ..] => 6,
        _ => return None,
    };
    name.eq_ignore_ascii_case(b"sep=").then_some((delimiter, end))
}

fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}
