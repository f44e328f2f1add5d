//! What a file held at its beginning and right before a position, so that a position is never
//! applied to other content: an inode may be reused, and a file may be truncated and rewritten.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes compared, at the beginning and before the position.
const MOST: usize = 1024;

/// The checksums of a file's beginning and of what is before a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint {
    /// CRC-32 of the file's first bytes, 1024 or as many as there are before the position.
    pub head: u32,
    /// CRC-32 of the same number of bytes right before the position.
    pub before: u32,
}

impl Fingerprint {
    /// Of `file` up to `offset`; `None` if it is shorter.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn take(file: &File, offset: u64) -> io::Result<Option<Self>> {
        Ok(Seen::take(file, offset)?.map(|seen| seen.fingerprint()))
    }
}

/// The same bytes, in memory, for a file that is being read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    head: Vec<u8>,
    before: Vec<u8>,
    offset: u64,
}

impl Seen {
    /// Of `file` up to `offset`; `None` if it is shorter.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn take(file: &File, offset: u64) -> io::Result<Option<Self>> {
        let most = usize::try_from(offset).unwrap_or(MOST).min(MOST);
        let read = |from| {
            let mut bytes = vec![0; most];
            match file.read_exact_at(&mut bytes, from) {
                Ok(()) => Ok(Some(bytes)),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
                Err(error) => Err(error),
            }
        };
        match (read(0)?, read(offset - most as u64)?) {
            (Some(head), Some(before)) => Ok(Some(Seen { head, before, offset })),
            _ => Ok(None),
        }
    }

    /// Its beginning.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// How far the file was read.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Adds bytes that were read.
    pub fn extend(&mut self, bytes: &[u8]) {
        let missing = MOST - self.head.len();
        self.head.extend_from_slice(&bytes[..missing.min(bytes.len())]);
        let last = &bytes[bytes.len().saturating_sub(MOST)..];
        self.before.extend_from_slice(last);
        self.before.drain(..self.before.len().saturating_sub(MOST));
        self.offset += bytes.len() as u64;
    }

    /// Whether `file` still holds it.
    pub fn is_in(&self, file: &File) -> bool {
        matches!(Seen::take(file, self.offset), Ok(Some(seen)) if seen == *self)
    }

    /// Its checksums.
    pub fn fingerprint(&self) -> Fingerprint {
        let [head, before] = [&self.head, &self.before].map(|bytes| crc32fast::hash(bytes));
        Fingerprint { head, before }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn what_is_read_piece_by_piece_is_what_the_file_holds() {
        let bytes: Vec<u8> = (0..5000u32).flat_map(u32::to_le_bytes).collect();
        let file = file(&bytes);
        for piece in [1, 7, 1000, 1024, 4096] {
            let mut seen = Seen::default();
            for part in bytes[..9000].chunks(piece) {
                seen.extend(part);
                assert!(seen.is_in(&file), "{} bytes by {piece}", seen.offset());
            }
            let taken = Fingerprint::take(&file, 9000).unwrap();
            assert_eq!(taken, Some(seen.fingerprint()));
        }
    }

    #[test]
    fn other_content_is_recognised_however_it_came_there() {
        let mut seen = Seen::default();
        seen.extend(b"first line\nsecond line\n");
        assert!(seen.is_in(&file(b"first line\nsecond line\nthird line\n")));
        // Shorter, different at the beginning, and grown past the position with the same beginning.
        assert!(!seen.is_in(&file(b"first line\n")));
        assert!(!seen.is_in(&file(b"First line\nsecond line\n")));
        let long = |middle: &[u8]| [&[b'a'; 2000][..], middle, &[b'z'; 2000][..]].concat();
        let mut seen = Seen::default();
        seen.extend(&long(b"x")[..2500]);
        assert!(seen.is_in(&file(&long(b"x"))));
        assert!(!seen.is_in(&file(&long(b"y"))));
    }
}
