//! Cutting blocks of input into records.

use crate::input::framing::Format;
use memchr::memchr_iter;
use std::sync::Arc;

/// A piece of input.
#[derive(Debug, PartialEq, Eq)]
pub enum Cut {
    /// A record, without its end.
    Record(Arc<[u8]>),
    /// A record longer than allowed begins. Its bytes come as they stand in the input, its end
    /// included, so that it never has to be held.
    TooLong {
        /// What has come of it.
        bytes: Arc<[u8]>,
        /// Whether more of it comes.
        more: bool,
    },
    /// More of it.
    Rest {
        /// The next bytes of it.
        bytes: Arc<[u8]>,
        /// Whether more of it comes.
        more: bool,
    },
}

/// An input that ends in the middle of a record of known length, or that cannot be in this framing.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken(pub String);

/// The largest body any broker takes; a longer length is no length.
const LONGEST: usize = 512 << 20;

/// Cuts blocks of bytes into records.
#[derive(Debug)]
pub struct Cutter {
    format: Format,
    max_size: usize,
    /// The beginning of a record whose end has not come yet; in length framing with its length.
    partial: Vec<u8>,
    /// A record that is too long is passing.
    passing: bool,
    /// Bytes of it that have passed.
    passed: usize,
    /// Bytes of it that are still to come, in length framing.
    to_pass: usize,
    /// Bytes cut so far.
    offset: u64,
}

impl Cutter {
    /// Records of at most `max_size` bytes.
    pub fn new(format: Format, max_size: usize) -> Self {
        Cutter {
            format,
            max_size,
            partial: Vec::new(),
            passing: false,
            passed: 0,
            to_pass: 0,
            offset: 0,
        }
    }

    /// Appends what `block` completes to `cuts`.
    ///
    /// # Errors
    /// It cannot be in this framing; what came before is in `cuts`.
    pub fn cut(&mut self, block: &[u8], cuts: &mut Vec<Cut>) -> Result<(), Broken> {
        match self.format {
            Format::Lines | Format::Json => self.delimited(b'\n', block, cuts),
            Format::Nul => self.delimited(0, block, cuts),
            Format::Whole => self.rest(block, cuts),
            Format::Length => self.lengths(block, cuts)?,
        }
        self.offset += block.len() as u64;
        Ok(())
    }

    /// The input is over: a last record without an end counts.
    ///
    /// # Errors
    /// It ends in the middle of a record of known length.
    pub fn finish(&mut self, cuts: &mut Vec<Cut>) -> Result<(), Broken> {
        let last = std::mem::take(&mut self.partial);
        let passing = std::mem::take(&mut self.passing);
        let (offset, missing) = (self.offset, std::mem::take(&mut self.to_pass));
        self.offset = 0;
        match self.format {
            Format::Lines | Format::Json | Format::Nul if passing => {
                let mut end = Vec::new();
                self.format.frame(&[], &mut end);
                cuts.push(Cut::Rest { bytes: end.into(), more: false });
            }
            Format::Whole if passing => {
                cuts.push(Cut::Rest { bytes: Arc::default(), more: false });
            }
            Format::Length if passing => {
                return Err(Broken(format!(
                    "the input ends at byte {offset}, {missing} bytes before the end of a record"
                )));
            }
            Format::Length if !last.is_empty() => {
                let begins = offset - last.len() as u64;
                return Err(Broken(match length(&last) {
                    Some(length) => format!(
                        "the input ends at byte {offset}, {} bytes into a record of {length} that \
                         begins at byte {begins}",
                        last.len() - 4
                    ),
                    None => format!("the input ends at byte {offset}, in the middle of a length"),
                }));
            }
            Format::Lines | Format::Json | Format::Nul | Format::Length if last.is_empty() => {}
            _ => cuts.push(Cut::Record(last.into())),
        }
        Ok(())
    }

    /// Bytes read of a record whose end has not come.
    pub fn partial(&self) -> usize {
        if self.passing { self.passed } else { self.partial.len() }
    }

    fn delimited(&mut self, delimiter: u8, block: &[u8], cuts: &mut Vec<Cut>) {
        let mut start = 0;
        for end in memchr_iter(delimiter, block) {
            let (record, with_end) = (&block[start..end], &block[start..=end]);
            start = end + 1;
            if self.passing {
                self.passing = false;
                cuts.push(Cut::Rest { bytes: with_end.into(), more: false });
            } else if self.partial.len() + record.len() > self.max_size {
                let mut bytes = std::mem::take(&mut self.partial);
                bytes.extend_from_slice(with_end);
                cuts.push(Cut::TooLong { bytes: bytes.into(), more: false });
            } else if self.partial.is_empty() {
                cuts.push(Cut::Record(record.into()));
            } else {
                let mut whole = std::mem::take(&mut self.partial);
                whole.extend_from_slice(record);
                cuts.push(Cut::Record(whole.into()));
            }
        }
        self.rest(&block[start..], cuts);
    }

    /// The block's last bytes, which end no record.
    fn rest(&mut self, rest: &[u8], cuts: &mut Vec<Cut>) {
        if rest.is_empty() {
            return;
        }
        if self.passing {
            self.passed += rest.len();
            cuts.push(Cut::Rest { bytes: rest.into(), more: true });
            return;
        }
        self.partial.extend_from_slice(rest);
        if self.partial.len() > self.max_size {
            self.passing = true;
            self.passed = self.partial.len();
            let bytes = std::mem::take(&mut self.partial).into();
            cuts.push(Cut::TooLong { bytes, more: true });
        }
    }

    fn lengths(&mut self, mut block: &[u8], cuts: &mut Vec<Cut>) -> Result<(), Broken> {
        let whole = block.len();
        while !block.is_empty() {
            if self.passing {
                let (bytes, rest) = block.split_at(self.to_pass.min(block.len()));
                block = rest;
                self.to_pass -= bytes.len();
                self.passed += bytes.len();
                self.passing = self.to_pass > 0;
                cuts.push(Cut::Rest { bytes: bytes.into(), more: self.passing });
                continue;
            }
            let wanted = match length(&self.partial) {
                None => 4,
                Some(length) => 4 + length,
            };
            let (bytes, rest) = block.split_at((wanted - self.partial.len()).min(block.len()));
            self.partial.extend_from_slice(bytes);
            block = rest;
            let Some(length) = length(&self.partial) else { continue };
            if length > self.max_size {
                if length > LONGEST {
                    let begins = self.offset + (whole - block.len()) as u64 - 4;
                    return Err(Broken(format!(
                        "at byte {begins}: a record of {length} bytes; is this input in length \
                         framing?"
                    )));
                }
                self.passing = true;
                self.to_pass = length;
                self.passed = 0;
                let bytes = std::mem::take(&mut self.partial).into();
                cuts.push(Cut::TooLong { bytes, more: true });
            } else if self.partial.len() == 4 + length {
                cuts.push(Cut::Record(self.partial[4..].into()));
                self.partial.clear();
            }
        }
        Ok(())
    }
}

/// The length a record of length framing begins with, once all of it has come.
fn length(record: &[u8]) -> Option<usize> {
    let bytes = record.first_chunk::<4>()?;
    usize::try_from(u32::from_be_bytes(*bytes)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Format; 5] =
        [Format::Lines, Format::Nul, Format::Length, Format::Whole, Format::Json];

    fn cut(format: Format, max_size: usize, blocks: &[&[u8]]) -> (Vec<Cut>, Result<(), Broken>) {
        let mut cutter = Cutter::new(format, max_size);
        let mut cuts = Vec::new();
        for block in blocks {
            if let Err(broken) = cutter.cut(block, &mut cuts) {
                return (cuts, Err(broken));
            }
        }
        let finished = cutter.finish(&mut cuts);
        (cuts, finished)
    }

    fn records(format: Format, blocks: &[&[u8]]) -> Vec<Vec<u8>> {
        let (cuts, finished) = cut(format, 100, blocks);
        assert_eq!(finished, Ok(()));
        cuts.into_iter()
            .map(|cut| match cut {
                Cut::Record(record) => record.to_vec(),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    /// What a reader of --rejects finds of too long records.
    fn passed(cuts: &[Cut]) -> Vec<u8> {
        let pieces = cuts.iter().filter_map(|cut| match cut {
            Cut::TooLong { bytes, .. } | Cut::Rest { bytes, .. } => Some(&bytes[..]),
            Cut::Record(_) => None,
        });
        pieces.collect::<Vec<_>>().concat()
    }

    #[test]
    fn a_last_record_without_an_end_counts_and_an_empty_input_has_none() {
        let lines = |blocks: &[&[u8]]| records(Format::Lines, blocks);
        assert_eq!(lines(&[b"a\n\nb\0c\n\xff\nlast"]), [&b"a"[..], b"", b"b\0c", b"\xff", b"last"]);
        assert_eq!(lines(&[b"a\n"]), [b"a"]);
        assert_eq!(lines(&[b"\n"]), [b""]);
        assert!(lines(&[b""]).is_empty());
        assert_eq!(records(Format::Nul, &[b"a\nb\0c"]), [&b"a\nb"[..], b"c"]);
        assert!(records(Format::Length, &[]).is_empty());
        assert_eq!(records(Format::Length, &[b"\0\0\0\0\0\0\0\x01x"]), [&b""[..], b"x"]);
    }

    #[test]
    fn whole_is_one_record_even_of_nothing() {
        assert_eq!(records(Format::Whole, &[b"a\n", b"b"]), [b"a\nb"]);
        assert_eq!(records(Format::Whole, &[]), [b""]);
    }

    #[test]
    fn a_record_over_the_limit_passes_by_as_it_stands_and_those_around_it_are_kept() {
        let (cuts, finished) = cut(Format::Lines, 3, &[b"abc\nabc", b"d", b"ef\nend"]);
        assert_eq!(finished, Ok(()));
        assert_eq!(cuts.first(), Some(&Cut::Record(b"abc"[..].into())));
        assert_eq!(cuts.last(), Some(&Cut::Record(b"end"[..].into())));
        assert_eq!(passed(&cuts), b"abcdef\n");
        // It gets the end that it lacks, so that what is written behind it is a record of its own.
        assert_eq!(passed(&cut(Format::Nul, 3, &[b"abcd", b"e"]).0), b"abcde\0");
        let long = [b"\0\0\0\x05ab", &b"cde\0\0\0\x01x"[..]];
        let (cuts, finished) = cut(Format::Length, 3, &long);
        assert_eq!(finished, Ok(()));
        assert_eq!(passed(&cuts), b"\0\0\0\x05abcde");
        assert_eq!(cuts.last(), Some(&Cut::Record(b"x"[..].into())));
    }

    #[test]
    fn what_is_not_in_length_framing_is_told_with_its_place() {
        let broken = |blocks: &[&[u8]]| cut(Format::Length, 100, blocks).1.unwrap_err().0;
        assert_eq!(
            broken(&[b"\0\0\0\x01x", b"\0\0\0\x05ab"]),
            "the input ends at byte 11, 2 bytes into a record of 5 that begins at byte 5"
        );
        assert_eq!(broken(&[b"\0\0"]), "the input ends at byte 2, in the middle of a length");
        assert_eq!(
            broken(&[b"\0\0\0\x01x", b"hello"]),
            "at byte 5: a record of 1751477356 bytes; is this input in length framing?"
        );
        assert_eq!(
            broken(&[b"\0\0\x02\0abc"]),
            "the input ends at byte 7, 509 bytes before the end of a record"
        );
    }

    proptest! {
        #[test]
        fn what_is_framed_is_cut_into_the_same_records_in_blocks_of_any_size(
            bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..12), 0..12),
            block in 1usize..20,
        ) {
            for format in ALL {
                let delimiter = match format {
                    Format::Lines | Format::Json => Some(b'\n'),
                    Format::Nul => Some(0),
                    Format::Length | Format::Whole => None,
                };
                let mut wanted = bodies.clone();
                if let Some(delimiter) = delimiter {
                    wanted.iter_mut().for_each(|body| body.retain(|byte| *byte != delimiter));
                }
                if format == Format::Whole {
                    wanted = vec![wanted.concat()];
                }
                let mut input = Vec::new();
                wanted.iter().for_each(|body| format.frame(body, &mut input));
                let blocks: Vec<&[u8]> = input.chunks(block).collect();
                prop_assert_eq!(records(format, &blocks), wanted);
            }
        }

        #[test]
        fn with_a_limit_no_byte_of_the_input_is_lost(
            input in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..90),
            block in 1usize..20,
            max_size in 1usize..20,
        ) {
            for format in [Format::Lines, Format::Nul, Format::Whole] {
                let blocks: Vec<&[u8]> = input.chunks(block).collect();
                let (cuts, finished) = cut(format, max_size, &blocks);
                prop_assert_eq!(finished, Ok(()));
                let mut again = Vec::new();
                for cut in &cuts {
                    match cut {
                        Cut::Record(record) => {
                            prop_assert!(record.len() <= max_size);
                            format.frame(record, &mut again);
                        }
                        Cut::TooLong { bytes, .. } | Cut::Rest { bytes, .. } => {
                            again.extend_from_slice(bytes);
                        }
                    }
                }
                // The last record gets the end that it lacks.
                let ended = again.len() == input.len() || again.len() == input.len() + 1;
                prop_assert!(again.starts_with(&input) && ended);
            }
        }
    }
}
