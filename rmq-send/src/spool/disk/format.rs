//! The bytes of a segment.
//!
//! All numbers are little-endian. A segment begins with a stamp of 16 bytes: `rmqspool`, the
//! format's version (4 bytes), and the CRC-32 of these 12. Entries follow to the end:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | CRC-32 of all that follows, seeded with the segment's salt |
//! | 4 | length of the payload |
//! | 8 | sequence number, one more than the previous entry's |
//! | length | payload |
//!
//! A segment's name is its first sequence number and its salt. The salt is random, so that what
//! looks like an entry inside a payload, or in a block that belonged to another file, is never
//! taken for one; it is in the name so that a damaged stamp does not make the entries unreadable.

use std::ops::Range;

/// The version this code writes, and the only one it reads.
const VERSION: u32 = 1;
const SEGMENT_MAGIC: [u8; 8] = *b"rmqspool";
const CURSOR_MAGIC: [u8; 8] = *b"rmqdone\n";

/// Bytes of a stamp.
pub const STAMP: usize = 16;
/// Bytes of an entry before its payload.
pub const ENTRY: usize = 16;

/// Above any sequence number that is ever reached: a larger one was not written by a spool.
const MOST_SEQUENCE: u64 = 1 << 62;

/// What the beginning of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// A stamp of ours.
    Good,
    /// A stamp of ours, of a version that this code does not know.
    Unknown(u32),
    /// It cannot be read.
    Damaged,
}

/// The stamp at the beginning of a segment.
pub fn segment_stamp() -> [u8; STAMP] {
    stamp(SEGMENT_MAGIC)
}

/// Checks the beginning of a segment.
pub fn check_segment(bytes: &[u8]) -> Stamp {
    check(bytes, SEGMENT_MAGIC)
}

fn stamp(magic: [u8; 8]) -> [u8; STAMP] {
    let mut bytes = [0; STAMP];
    bytes[..8].copy_from_slice(&magic);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    let checksum = checksum(0, &bytes[..12]);
    bytes[12..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

fn check(bytes: &[u8], magic: [u8; 8]) -> Stamp {
    let Some(bytes) = bytes.get(..STAMP) else { return Stamp::Damaged };
    if bytes[..8] != magic || number(&bytes[12..]) != checksum(0, &bytes[..12]) {
        return Stamp::Damaged;
    }
    match number(&bytes[8..]) {
        VERSION => Stamp::Good,
        version => Stamp::Unknown(version),
    }
}

/// The whole content of the cursor's file: its stamp, the sequence number, and its CRC-32.
pub fn cursor(done: u64) -> [u8; STAMP + 12] {
    let mut bytes = [0; STAMP + 12];
    bytes[..STAMP].copy_from_slice(&stamp(CURSOR_MAGIC));
    bytes[STAMP..STAMP + 8].copy_from_slice(&done.to_le_bytes());
    bytes[STAMP + 8..].copy_from_slice(&checksum(0, &done.to_le_bytes()).to_le_bytes());
    bytes
}

/// Reads the cursor's file.
///
/// # Errors
/// What its stamp says, if it gives no number.
pub fn parse_cursor(bytes: &[u8]) -> Result<u64, Stamp> {
    match check(bytes, CURSOR_MAGIC) {
        Stamp::Good => {}
        other => return Err(other),
    }
    match bytes[STAMP..].split_at_checked(8) {
        Some((done, sum)) if sum.len() == 4 && number(sum) == checksum(0, done) => match long(done)
        {
            done if done <= MOST_SEQUENCE => Ok(done),
            _ => Err(Stamp::Damaged),
        },
        _ => Err(Stamp::Damaged),
    }
}

/// A segment's name: its first sequence number and its salt.
pub fn name(first: u64, salt: u32) -> String {
    format!("{first:020}-{salt:08x}.segment")
}

/// Reads a segment's name; `None` if something else has that name.
pub fn parse_name(text: &str) -> Option<(u64, u32)> {
    let (first, salt) = text.strip_suffix(".segment")?.split_once('-')?;
    let parsed = (first.parse().ok()?, u32::from_str_radix(salt, 16).ok()?);
    let possible = (1..=MOST_SEQUENCE).contains(&parsed.0);
    (possible && name(parsed.0, parsed.1) == text).then_some(parsed)
}

/// Appends an entry to `bytes`. A payload is smaller than 4 GiB.
pub fn encode(bytes: &mut Vec<u8>, salt: u32, sequence: u64, length: u32, payload: &[u8]) {
    let start = bytes.len();
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&sequence.to_le_bytes());
    bytes.extend_from_slice(payload);
    let checksum = checksum(salt, &bytes[start + 4..]);
    bytes[start..start + 4].copy_from_slice(&checksum.to_le_bytes());
}

/// What is at the beginning of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// An entry. It ends where its payload ends.
    Entry {
        /// Its sequence number.
        sequence: u64,
        /// Where its payload is.
        payload: Range<usize>,
    },
    /// Perhaps an entry: this many bytes are needed to decide.
    Needs(usize),
    /// Not an entry.
    Bad,
}

/// Reads the entry at the beginning of `bytes`, in a segment that has `available` bytes from there
/// on. Its sequence number must be one of `sequences`, which does not include 0.
pub fn decode(bytes: &[u8], salt: u32, available: u64, sequences: &Range<u64>) -> Decoded {
    if available < ENTRY as u64 {
        return Decoded::Bad;
    }
    let Some(head) = bytes.get(..ENTRY) else { return Decoded::Needs(ENTRY) };
    let (sequence, length) = (long(&head[8..]), number(&head[4..]));
    if !sequences.contains(&sequence) || ENTRY as u64 + u64::from(length) > available {
        return Decoded::Bad;
    }
    let end = ENTRY + length as usize;
    let Some(entry) = bytes.get(..end) else { return Decoded::Needs(end) };
    if number(head) != checksum(salt, &entry[4..]) {
        return Decoded::Bad;
    }
    Decoded::Entry { sequence, payload: ENTRY..end }
}

/// The first place in `bytes`, from `from` on, with an entry of one of `sequences`, or what may be
/// one with more bytes; and which. The segment has `available` bytes from there on.
pub fn find(
    bytes: &[u8],
    salt: u32,
    available: u64,
    sequences: &Range<u64>,
    from: usize,
) -> Option<(usize, Decoded)> {
    (from..bytes.len().saturating_sub(ENTRY - 1)).find_map(|offset| {
        match decode(&bytes[offset..], salt, available - offset as u64, sequences) {
            Decoded::Bad => None,
            found => Some((offset, found)),
        }
    })
}

/// The sequence number of the entry at the beginning of `bytes`, which hold at least its head.
pub fn sequence(bytes: &[u8]) -> u64 {
    bytes.get(8..ENTRY).map_or(0, long)
}

/// The checksum of an entry that comes in parts; the first contains all of its head.
#[derive(Debug)]
pub struct Checksum {
    hasher: crc32fast::Hasher,
    stated: Option<u32>,
}

impl Checksum {
    /// For a segment with this salt.
    pub fn new(salt: u32) -> Self {
        Checksum { hasher: crc32fast::Hasher::new_with_initial(salt), stated: None }
    }

    /// The next part.
    pub fn update(&mut self, part: &[u8]) {
        if self.stated.is_some() {
            self.hasher.update(part);
        } else if let Some((stated, rest)) = part.split_at_checked(4) {
            self.stated = Some(number(stated));
            self.hasher.update(rest);
        }
    }

    /// Whether it matches the head.
    pub fn holds(self) -> bool {
        self.stated == Some(self.hasher.finalize())
    }
}

fn checksum(salt: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(salt);
    hasher.update(bytes);
    hasher.finalize()
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn long(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
