//! Rows of a CSV file as they were written: where they begin, and their cells with the quotes. It
//! goes beside the csv crate's reader, which says what the cells are.

use super::Written;

/// The mark that spreadsheets put before a text in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Goes through a file, row by row.
pub struct Splitter<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
    delimiter: u8,
}

impl<'a> Splitter<'a> {
    /// Finds out what separates the cells: a comma, unless the first line names something else, as
    /// spreadsheets write it (`sep=;`), or the header row is one cell with semicolons or tabs in it.
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
        let (cells, length, _) = ahead.row();
        if cells == 1 {
            let header = ahead.left().get(..length).unwrap_or_default();
            let other = [b';', b'\t'].into_iter().find(|other| header.contains(other));
            splitter.delimiter = other.unwrap_or(b',');
        }
        splitter
    }

    /// What separates the cells.
    pub fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Where the first row may begin.
    pub fn begin(&self) -> usize {
        self.at
    }

    /// The next row that begins at `from` or later: its line, and how it was written; empty at the
    /// end.
    pub fn next(&mut self, from: usize) -> (u64, Written) {
        self.pass_what_is_no_row();
        let before = text(self.text.get(from..self.at));
        let (line, start) = (self.line, self.at);
        let (_, length, ends) = self.row();
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
        (line, Written { before, cells, end })
    }

    /// Where it is now.
    pub fn position(&self) -> usize {
        self.at
    }

    fn left(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn pass(&mut self, length: usize) {
        let passed = self.left().iter().take(length);
        self.line += passed.filter(|byte| **byte == b'\n').count() as u64;
        self.at = (self.at + length).min(self.text.len());
    }

    /// Passes what the reader would leave out where it begins.
    fn pass_marks(&mut self) {
        while self.left().starts_with(MARK) {
            self.at += MARK.len();
        }
    }

    /// Passes empty lines, and comments.
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

    /// How many cells the row here has, how long it is, and where each cell ends in it.
    fn row(&self) -> (usize, usize, Vec<usize>) {
        let left = self.left();
        let mut ends = Vec::new();
        let mut at = 0;
        loop {
            if left.get(at) == Some(&b'"') {
                at = behind_quotes(left, at);
            }
            let ends_cell = |byte: &u8| *byte == self.delimiter || matches!(byte, b'\r' | b'\n');
            let cell = left.get(at..).unwrap_or_default().iter().position(ends_cell);
            at = cell.map_or(left.len(), |cell| at + cell);
            ends.push(at);
            if left.get(at) != Some(&self.delimiter) {
                return (ends.len(), at, ends);
            }
            at += 1;
        }
    }
}

/// Behind the quote that ends what is in quotes at `at`.
fn behind_quotes(text: &[u8], mut at: usize) -> usize {
    at += 1;
    loop {
        match text.get(at..).unwrap_or_default() {
            [] => return text.len(),
            [b'"', b'"', ..] => at += 2,
            [b'"', ..] => return at + 1,
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
