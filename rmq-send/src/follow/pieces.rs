//! Cutting a followed file into records, each with its place in the file.

use crate::input::cut::{Cut, Cutter};
use crate::input::framing::Format;
use crate::input::marks::Mark;
use std::sync::Arc;

/// What was cut from a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// Records, and where they are.
    Cuts(Vec<Cut>, Vec<(u64, u64)>),
    /// A record that is longer than allowed, from its first byte to the first byte after it.
    Long(u64, u64),
}

/// Cuts one file.
#[derive(Debug)]
pub struct Pieces {
    cutter: Cutter,
    /// Where the last record that was cut ends.
    ends: u64,
    /// Where a record that is longer than allowed began, while its end has not come.
    begun: Option<u64>,
}

impl Pieces {
    /// Cuts from the byte `begins` on, into records of at most `max_size` bytes.
    pub fn new(format: Format, max_size: usize, begins: u64) -> Self {
        Pieces { cutter: Cutter::new(format, max_size, 0), ends: begins, begun: None }
    }

    /// Where the last record that was cut ends.
    pub fn ends(&self) -> u64 {
        self.ends
    }

    /// What `block` completes.
    pub fn cut(&mut self, block: &[u8]) -> Vec<Piece> {
        let mut cuts = Vec::new();
        // The framings that are followed are never broken.
        self.cutter.room().extend_from_slice(block);
        let _ = self.cutter.cut(&mut cuts);
        self.place(cuts, 1)
    }

    /// Nothing more comes, so an unfinished record counts as a record.
    pub fn finish(&mut self) -> Vec<Piece> {
        let mut cuts = Vec::new();
        let _ = self.cutter.finish(&mut cuts);
        self.place(cuts, 0)
    }

    /// Where each record is. One that is too long is handed over only after its end has come, so
    /// that nothing comes between its parts.
    fn place(&mut self, cuts: Vec<Cut>, delimiter: u64) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let (mut records, mut places) = (Vec::new(), Vec::new());
        for cut in cuts {
            let begins = self.ends;
            match cut {
                Cut::Record(bytes) => {
                    self.ends += bytes.len() as u64 + delimiter;
                    records.push(Cut::Record(bytes));
                    places.push((begins, self.ends));
                }
                Cut::TooLong { bytes, more: false } => {
                    self.ends += bytes.len() as u64;
                    records.push(Cut::TooLong { bytes, more: false });
                    places.push((begins, self.ends));
                }
                Cut::TooLong { bytes, more: true } => {
                    self.begun = Some(begins);
                    self.ends += bytes.len() as u64;
                }
                Cut::Rest { bytes, more: true } => self.ends += bytes.len() as u64,
                Cut::Rest { bytes, more: false } => {
                    self.ends += bytes.len() as u64 * delimiter;
                    if !records.is_empty() {
                        let (records, places) = (&mut records, &mut places);
                        pieces.push(Piece::Cuts(std::mem::take(records), std::mem::take(places)));
                    }
                    let begins = self.begun.take().unwrap_or(begins);
                    pieces.push(Piece::Long(begins, self.ends));
                }
            }
        }
        if !records.is_empty() {
            pieces.push(Piece::Cuts(records, places));
        }
        pieces
    }
}

/// The marks of records of one file, the first of which has this number.
pub fn marks(
    places: &[(u64, u64)],
    file: u64,
    name: &Arc<str>,
    first: u64,
) -> impl Iterator<Item = Mark> {
    let numbered = places.iter().zip(first..);
    numbered.map(move |((begins, ends), number)| Mark {
        number,
        file,
        name: Arc::clone(name),
        begins: *begins,
        ends: *ends,
    })
}
