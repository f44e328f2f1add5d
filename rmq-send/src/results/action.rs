//! What has to be done about records: `leaving.rs` decides it, `places.rs` does it.

use bytes::Bytes;
use std::sync::Arc;

/// What a run does with records besides sending them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Duties {
    /// Keeps those that cannot be sent.
    pub rejects: bool,
    /// Writes those that are confirmed.
    pub tee: bool,
    /// Reports those that are done to rmq-recv.
    pub acknowledges: bool,
    /// Reports those that are done to the source that keeps the rest: a spool, or file positions.
    pub kept: bool,
    /// The input ends by itself, and can be read to its end even when nothing can be sent.
    pub finite: bool,
}

/// What has to be done now.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Write a confirmed record to `--tee`.
    Tee(Bytes),
    /// Append a record to the rejects.
    Keep(Bytes),
    /// Append the beginning of the record `number`, which is too long to be held.
    KeepBeginning {
        /// Its place in the input.
        number: u64,
        /// What has come of it.
        bytes: Bytes,
        /// Whether more of it comes.
        more: bool,
    },
    /// Append more of it.
    KeepRest {
        /// What has come of it.
        bytes: Bytes,
        /// Whether more of it comes.
        more: bool,
    },
    /// Remove the record whose end never came from the rejects.
    TakeBack,
    /// Make sure that the rejects are on the disk.
    Sync,
    /// The records up to this one are done, which completes this delivery.
    Acknowledge(u64, Option<Arc<str>>),
    /// The records up to this one are done and need not be kept.
    DoneUpTo(u64),
}
