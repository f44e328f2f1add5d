//! Records on their way out of the spool.

use crate::spool::disk::damage::Damage;
use crate::spool::disk::reader::Block;

/// Consecutive records, in the memory that they were read into: about 256 KiB, or one larger
/// record.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) block: Block,
    /// Damage found in place of records.
    pub damage: Option<Damage>,
}

impl Batch {
    /// The records, each with its sequence number.
    pub fn records(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let Block { bytes, entries } = &self.block;
        entries.iter().map(|(sequence, range)| (*sequence, &bytes[range.clone()]))
    }

    /// Records that were never on disk.
    pub(super) fn in_memory(first: u64, payloads: &[impl AsRef<[u8]>]) -> Self {
        let mut block = Block::default();
        for (sequence, payload) in (first..).zip(payloads) {
            let start = block.bytes.len();
            block.bytes.extend_from_slice(payload.as_ref());
            block.entries.push((sequence, start..block.bytes.len()));
        }
        Batch { block, damage: None }
    }
}
