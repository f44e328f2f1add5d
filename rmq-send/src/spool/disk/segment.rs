//! One file of the spool.

use crate::spool::disk::format;

/// A segment on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its first sequence number.
    pub first: u64,
    /// The seed of its checksums.
    pub salt: u32,
    /// Bytes that are written and complete.
    pub bytes: u64,
}

impl Segment {
    /// The name of its file.
    pub fn name(&self) -> String {
        format::name(self.first, self.salt)
    }
}
