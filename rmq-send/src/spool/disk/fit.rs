//! How many records fit into the current segment, and into the spool.

use crate::spool::disk::format::{ENTRY, STAMP};
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;

/// How many of the remaining records fit, from the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// This many, in `bytes`, including the stamp of a new segment.
    Entries { count: usize, bytes: u64 },
    /// None fits into this segment.
    NextSegment,
    /// None fits within the bound.
    Full,
}

/// The space available, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Space {
    /// Taken by the whole spool.
    pub taken: u64,
    /// The most that the spool may take.
    pub bound: u64,
    /// Used in the current segment, if there is one.
    pub used: Option<u64>,
    /// The most that a segment may take.
    pub segment: u64,
}

impl Space {
    /// How many of `payloads` fit. One record always has room in an empty spool and segment.
    ///
    /// # Errors
    /// A record is larger than an entry can represent (65).
    pub fn fit(&self, payloads: &[impl AsRef<[u8]>]) -> Result<Fit, Failure> {
        let stamp = if self.used.is_none() { STAMP as u64 } else { 0 };
        let room = self.bound.saturating_sub(self.taken);
        let left = self.segment.saturating_sub(self.used.unwrap_or(STAMP as u64));
        let (mut count, mut bytes) = (0, stamp);
        for payload in payloads {
            let more = entry(payload.as_ref())?;
            if bytes + more > room && (self.taken > 0 || count > 0) {
                break;
            }
            if bytes - stamp + more > left && (self.used.is_some() || count > 0) {
                break;
            }
            bytes += more;
            count += 1;
        }
        Ok(match (count, payloads.first()) {
            (0, Some(first)) if bytes + entry(first.as_ref())? > room => Fit::Full,
            (0, _) => Fit::NextSegment,
            _ => Fit::Entries { count, bytes },
        })
    }
}

/// Bytes that a payload takes in a segment.
fn entry(payload: &[u8]) -> Result<u64, Failure> {
    match u32::try_from(payload.len()) {
        Ok(length) => Ok(ENTRY as u64 + u64::from(length)),
        Err(_) => {
            let text = format!("spool: a record of {} bytes is too large", payload.len());
            Err(Failure::new(Exit::DataErr, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: u64 = ENTRY as u64 + 1;

    fn fit(taken: u64, bound: u64, used: Option<u64>, segment: u64, records: usize) -> Fit {
        Space { taken, bound, used, segment }.fit(&vec![b"x"; records]).unwrap()
    }

    #[test]
    fn a_record_has_room_in_an_empty_spool_and_others_only_within_the_bounds() {
        let stamp = STAMP as u64;
        let entries = |count, bytes| Fit::Entries { count, bytes };
        assert_eq!(fit(0, 0, None, 0, 3), entries(1, stamp + ONE));
        assert_eq!(fit(0, stamp + 2 * ONE, None, 1 << 20, 3), entries(2, stamp + 2 * ONE));
        assert_eq!(fit(0, 1 << 20, None, stamp + 2 * ONE, 3), entries(2, stamp + 2 * ONE));
        let used = stamp + ONE;
        assert_eq!(fit(used, 1 << 20, Some(used), used + ONE, 3), entries(1, ONE));
        assert_eq!(fit(used, 1 << 20, Some(used), used + ONE - 1, 3), Fit::NextSegment);
        assert_eq!(fit(used, used + ONE - 1, Some(used), 1 << 20, 3), Fit::Full);
    }
}
