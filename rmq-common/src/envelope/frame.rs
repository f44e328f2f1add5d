//! What separates plain records from one another, in input and output alike.

/// What surrounds a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// This byte after it.
    End(u8),
    /// Its length before it: four bytes, big-endian.
    Length,
}

impl Frame {
    /// `--format lines`
    pub const LINES: Frame = Frame::End(b'\n');
    /// `--format nul`
    pub const NUL: Frame = Frame::End(0);
    /// The bytes of a length.
    pub const HEAD: usize = 4;

    /// The bytes before a record of `length` bytes.
    ///
    /// # Errors
    /// Four bytes cannot represent this length.
    pub fn before(self, length: usize) -> Result<Option<[u8; Self::HEAD]>, String> {
        match (self, u32::try_from(length)) {
            (Frame::End(_), _) => Ok(None),
            (Frame::Length, Ok(length)) => Ok(Some(length.to_be_bytes())),
            (Frame::Length, Err(_)) => Err("the body is too long for a 4-byte length".to_owned()),
        }
    }

    /// The byte after a record.
    pub fn after(self) -> Option<u8> {
        match self {
            Frame::End(end) => Some(end),
            Frame::Length => None,
        }
    }

    /// The length at the beginning of a record, once all of it has arrived.
    pub fn length(record: &[u8]) -> Option<usize> {
        let head = record.first_chunk::<{ Self::HEAD }>()?;
        usize::try_from(u32::from_be_bytes(*head)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_length_that_is_written_is_read(length: u32, rest: Vec<u8>) {
            let length = usize::try_from(length).unwrap();
            let head = Frame::Length.before(length).unwrap().unwrap();
            prop_assert_eq!(Frame::length(&[&head, &rest[..]].concat()), Some(length));
            prop_assert_eq!(Frame::length(&head[..3]), None);
        }
    }

    #[test]
    fn what_four_bytes_cannot_say_is_refused_and_an_end_is_one_byte() {
        assert!(Frame::Length.before(1 << 32).unwrap_err().contains("too long"));
        assert_eq!((Frame::Length.after(), Frame::LINES.after()), (None, Some(b'\n')));
        assert_eq!(Frame::NUL.before(1 << 32), Ok(None));
    }
}
