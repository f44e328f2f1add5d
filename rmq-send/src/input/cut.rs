//! Cutting blocks of input into records.

use crate::input::framing::Format;
use memchr::memchr_iter;
use rmq_common::frame::Frame;
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
        match self.format.around() {
            Some(Frame::End(end)) => self.delimited(end, block, cuts),
            Some(Frame::Length) => self.lengths(block, cuts)?,
            None => self.rest(block, cuts),
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
                return Err(Broken(match Frame::length(&last) {
                    Some(length) => format!(
                        "the input ends at byte {offset}, {} bytes into a record of {length} that \
                         begins at byte {begins}",
                        last.len() - Frame::HEAD
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
            let wanted = match Frame::length(&self.partial) {
                None => Frame::HEAD,
                Some(length) => Frame::HEAD + length,
            };
            let (bytes, rest) = block.split_at((wanted - self.partial.len()).min(block.len()));
            self.partial.extend_from_slice(bytes);
            block = rest;
            let Some(length) = Frame::length(&self.partial) else { continue };
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
            } else if self.partial.len() == Frame::HEAD + length {
                cuts.push(Cut::Record(self.partial[Frame::HEAD..].into()));
                self.partial.clear();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
