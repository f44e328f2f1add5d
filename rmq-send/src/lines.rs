//! Line framing: bytes up to a `\n` are a record, whatever they are.

use memchr::memchr_iter;
use std::sync::Arc;

/// One record of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the input, from 1.
    pub number: u64,
    /// Its bytes, without the line's end. Shared, because a record is kept until it is confirmed
    /// while lapin reads it too.
    pub body: Arc<[u8]>,
}

/// A line longer than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// The line's number, from 1.
    pub number: u64,
}

/// Cuts blocks of bytes into records.
#[derive(Debug)]
pub struct Lines {
    max_size: usize,
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
    /// Records cut so far.
    count: u64,
}

impl Lines {
    /// Lines of at most `max_size` bytes.
    pub fn new(max_size: usize) -> Self {
        Lines { max_size, partial: Vec::new(), count: 0 }
    }

    /// Appends the records that `block` completes to `records`.
    ///
    /// # Errors
    /// A line is too long; those before it are in `records`.
    pub fn cut(&mut self, block: &[u8], records: &mut Vec<Record>) -> Result<(), TooLong> {
        let mut start = 0;
        for end in memchr_iter(b'\n', block) {
            let line = &block[start..end];
            start = end + 1;
            self.check(line.len())?;
            if self.partial.is_empty() {
                records.push(self.record(line));
            } else {
                let mut whole = std::mem::take(&mut self.partial);
                whole.extend_from_slice(line);
                records.push(self.record(&whole));
            }
        }
        let rest = &block[start..];
        self.check(rest.len())?;
        self.partial.extend_from_slice(rest);
        Ok(())
    }

    /// The input is over: a last line without an end counts.
    pub fn finish(&mut self) -> Option<Record> {
        let last = std::mem::take(&mut self.partial);
        (!last.is_empty()).then(|| self.record(&last))
    }

    /// Bytes of a line whose end has not come.
    pub fn partial(&self) -> usize {
        self.partial.len()
    }

    /// The number of the record that comes next.
    pub fn next_number(&self) -> u64 {
        self.count + 1
    }

    /// The most bytes a record may have.
    pub fn max_size(&self) -> usize {
        self.max_size
    }

    fn check(&self, more: usize) -> Result<(), TooLong> {
        if self.partial.len() + more > self.max_size {
            return Err(TooLong { number: self.next_number() });
        }
        Ok(())
    }

    fn record(&mut self, body: &[u8]) -> Record {
        self.count += 1;
        Record { number: self.count, body: body.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(blocks: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut lines = Lines::new(100);
        let mut records = Vec::new();
        for block in blocks {
            lines.cut(block, &mut records).unwrap();
        }
        records.extend(lines.finish());
        let numbers: Vec<u64> = records.iter().map(|record| record.number).collect();
        assert_eq!(numbers, (1..=records.len() as u64).collect::<Vec<_>>());
        records.iter().map(|record| record.body.to_vec()).collect()
    }

    #[test]
    fn a_last_line_without_an_end_counts_and_an_empty_input_has_no_record() {
        assert_eq!(cut(&[b"a\n\nb\0c\n\xff\nlast"]), [&b"a"[..], b"", b"b\0c", b"\xff", b"last"]);
        assert_eq!(cut(&[b"a\n"]), [b"a"]);
        assert_eq!(cut(&[b"\n"]), [b""]);
        assert!(cut(&[b""]).is_empty());
        assert!(cut(&[]).is_empty());
    }

    #[test]
    fn a_line_over_the_limit_is_named_and_those_before_it_are_kept() {
        let mut lines = Lines::new(3);
        let mut records = Vec::new();
        assert_eq!(lines.cut(b"abc\nab", &mut records), Ok(()));
        assert_eq!(lines.cut(b"cd\n", &mut records), Err(TooLong { number: 2 }));
        assert_eq!(records.len(), 1);
        // Noticed before its end has come, so that it never fills the memory.
        assert_eq!(Lines::new(3).cut(b"abcd", &mut records), Err(TooLong { number: 1 }));
    }

    proptest! {
        #[test]
        fn records_are_the_same_however_the_input_is_cut_into_blocks(
            input in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..90),
            block in 1usize..20,
        ) {
            let whole = cut(&[&input]);
            let blocks: Vec<&[u8]> = input.chunks(block).collect();
            prop_assert_eq!(&cut(&blocks), &whole);
            let mut joined = whole.join(&b'\n');
            if input.last() == Some(&b'\n') {
                joined.push(b'\n');
            }
            prop_assert_eq!(joined, input);
        }
    }
}
