//! Cutting what is read into records.
//!
//! The input is read into one buffer, and a record is a part of it, which is not copied again on its
//! way to the socket. Records that follow one another share a buffer, as they share the window, so
//! that together they hold little more memory than their own.

use crate::input::framing::Format;
use bytes::Bytes;
use memchr::{memchr_iter, memrchr};
use rmq_common::frame::Frame;

/// A piece of input.
#[derive(Debug, PartialEq, Eq)]
pub enum Cut {
    /// A record, without its end.
    Record(Bytes),
    /// A record longer than allowed begins. Its bytes come as they stand in the input, its end
    /// included, so that it never has to be held.
    TooLong {
        /// What has come of it.
        bytes: Bytes,
        /// Whether more of it comes.
        more: bool,
    },
    /// More of it.
    Rest {
        /// The next bytes of it.
        bytes: Bytes,
        /// Whether more of it comes.
        more: bool,
    },
}

/// An input that ends in the middle of a record of known length, or that cannot have this framing.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken(pub String);

/// The largest body that any broker takes; a larger number is not a length.
const LONGEST: usize = 512 << 20;

/// Cuts an input into records.
#[derive(Debug)]
pub struct Cutter {
    format: Format,
    max_size: usize,
    /// The room to read into, in bytes.
    block: usize,
    /// What was read and is not cut yet: the beginning of a record, in length framing with its
    /// length.
    buffer: Vec<u8>,
    /// Up to here there is no end of a record in it.
    searched: usize,
    /// The longest record that was cut last: the next may be as long.
    longest: usize,
    /// A record that is too long is passing.
    passing: bool,
    /// Bytes of it already passed on.
    passed: usize,
    /// Bytes of it still to come, in length framing.
    to_pass: usize,
    /// Bytes cut so far: where the buffer begins in the input.
    offset: u64,
}

impl Cutter {
    /// Records of at most `max_size` bytes. There is [`room`](Self::room) for about `block` bytes at
    /// a time; 0 if blocks that were read elsewhere are appended to it.
    pub fn new(format: Format, max_size: usize, block: usize) -> Self {
        Cutter {
            format,
            max_size,
            block,
            buffer: Vec::new(),
            searched: 0,
            longest: 0,
            passing: false,
            passed: 0,
            to_pass: 0,
            offset: 0,
        }
    }

    /// Where to append what is read next; [`cut`](Self::cut) cuts it.
    pub fn room(&mut self) -> &mut Vec<u8> {
        let buffer = &mut self.buffer;
        if buffer.capacity() - buffer.len() < self.block / 4 {
            buffer.reserve(self.block);
        }
        buffer
    }

    /// Appends the records that are complete to `cuts`.
    ///
    /// # Errors
    /// It cannot be in this framing; what came before is in `cuts`.
    pub fn cut(&mut self, cuts: &mut Vec<Cut>) -> Result<(), Broken> {
        match self.format.around() {
            Some(Frame::End(end)) => self.delimited(end, cuts),
            Some(Frame::Length) => self.lengths(cuts)?,
            None => self.rest(cuts),
        }
        Ok(())
    }

    /// The input is over: a last record without a delimiter counts.
    ///
    /// # Errors
    /// It ends in the middle of a record of known length.
    pub fn finish(&mut self, cuts: &mut Vec<Cut>) -> Result<(), Broken> {
        let begins = self.offset;
        let last = self.take(self.buffer.len());
        let passing = std::mem::take(&mut self.passing);
        let missing = std::mem::take(&mut self.to_pass);
        let ends = std::mem::take(&mut self.offset);
        match self.format {
            Format::Lines | Format::Json | Format::Nul if passing => {
                let mut end = Vec::new();
                self.format.frame(&[], &mut end);
                cuts.push(Cut::Rest { bytes: end.into(), more: false });
            }
            Format::Whole if passing => {
                cuts.push(Cut::Rest { bytes: Bytes::new(), more: false });
            }
            Format::Length if passing => {
                return Err(Broken(format!(
                    "the input ends at byte {ends}, {missing} bytes before the end of a record"
                )));
            }
            Format::Length if !last.is_empty() => {
                return Err(Broken(match Frame::length(&last) {
                    Some(length) => format!(
                        "the input ends at byte {ends}, {} bytes into a record of {length} that \
                         begins at byte {begins}",
                        last.len() - Frame::HEAD
                    ),
                    None => format!("the input ends at byte {ends}, in the middle of a length"),
                }));
            }
            Format::Lines | Format::Json | Format::Nul | Format::Length if last.is_empty() => {}
            _ => cuts.push(Cut::Record(last)),
        }
        Ok(())
    }

    /// Bytes read from a record whose end has not come.
    pub fn partial(&self) -> usize {
        if self.passing { self.passed } else { self.buffer.len() }
    }

    /// The first bytes of the buffer. What fills less than half of it is copied: else records that
    /// come one by one would each hold a whole buffer.
    fn take(&mut self, length: usize) -> Bytes {
        let (whole, rest) = self.buffer.split_at(length);
        self.offset += length as u64;
        self.searched = 0;
        if length < self.buffer.capacity() / 2 {
            let bytes = Bytes::copy_from_slice(whole);
            self.buffer.drain(..length);
            return bytes;
        }
        let mut next = Vec::with_capacity(rest.len().max(self.longest) + self.block);
        next.extend_from_slice(rest);
        let mut bytes = std::mem::replace(&mut self.buffer, next);
        bytes.truncate(length);
        bytes.into()
    }

    fn delimited(&mut self, delimiter: u8, cuts: &mut Vec<Cut>) {
        let searched = self.searched;
        let found = self.buffer.get(searched..).and_then(|new| memrchr(delimiter, new));
        if let Some(last) = found {
            let whole = self.take(searched + last + 1);
            let mut start = 0;
            self.longest = 0;
            for end in memchr_iter(delimiter, &whole[searched..]) {
                let end = searched + end;
                let with_end = start..end + 1;
                if self.passing {
                    self.passing = false;
                    cuts.push(Cut::Rest { bytes: whole.slice(with_end), more: false });
                } else if end - start > self.max_size {
                    cuts.push(Cut::TooLong { bytes: whole.slice(with_end), more: false });
                } else {
                    self.longest = self.longest.max(end - start);
                    cuts.push(Cut::Record(whole.slice(start..end)));
                }
                start = end + 1;
            }
        }
        self.rest(cuts);
    }

    /// The buffer's last bytes, which end no record.
    fn rest(&mut self, cuts: &mut Vec<Cut>) {
        let length = self.buffer.len();
        if self.passing && length > 0 {
            self.passed += length;
            cuts.push(Cut::Rest { bytes: self.take(length), more: true });
        } else if length > self.max_size {
            self.passing = true;
            self.passed = length;
            cuts.push(Cut::TooLong { bytes: self.take(length), more: true });
        }
        self.searched = self.buffer.len();
    }

    fn lengths(&mut self, cuts: &mut Vec<Cut>) -> Result<(), Broken> {
        loop {
            if self.passing {
                let length = self.to_pass.min(self.buffer.len());
                if length == 0 {
                    return Ok(());
                }
                self.to_pass -= length;
                self.passed += length;
                self.passing = self.to_pass > 0;
                cuts.push(Cut::Rest { bytes: self.take(length), more: self.passing });
            }
            let (records, too_long) = self.whole_records();
            if let Some((_, end)) = records.last() {
                let whole = self.take(*end);
                let record = |(start, end)| Cut::Record(whole.slice(start..end));
                cuts.extend(records.into_iter().map(record));
            }
            let Some(length) = too_long else { return Ok(()) };
            if length > LONGEST {
                return Err(Broken(format!(
                    "at byte {}: a record of {length} bytes; is this input in length framing?",
                    self.offset
                )));
            }
            self.passing = true;
            self.to_pass = length;
            self.passed = 0;
            cuts.push(Cut::TooLong { bytes: self.take(Frame::HEAD), more: true });
        }
    }

    /// Where the records in the buffer are that are whole, and the length of the one behind them if
    /// that is too long.
    fn whole_records(&mut self) -> (Vec<(usize, usize)>, Option<usize>) {
        let mut records = Vec::new();
        let mut at = 0;
        while let Some(length) = self.buffer.get(at..).and_then(Frame::length) {
            if length > self.max_size {
                return (records, Some(length));
            }
            let (start, end) = (at + Frame::HEAD, at + Frame::HEAD + length);
            if end > self.buffer.len() {
                break;
            }
            records.push((start, end));
            at = end;
        }
        (records, None)
    }
}

#[cfg(test)]
mod tests;
