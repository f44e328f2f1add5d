//! The steps in which records leave.

use crate::record::item::{Bad, Raw, Record};
use rmq_common::failure::Failure;
use std::sync::Arc;

/// What is to be done in its turn. Whether it still is, is decided when its turn comes.
#[derive(Debug)]
pub enum Step {
    Tee(Arc<[u8]>),
    /// A record that cannot be sent leaves the window.
    Reject(Record),
    /// A record is too long to be held.
    Begin(Bad),
    Rest(Arc<[u8]>, bool),
    /// A record that is left over at the end.
    KeepLeft(Arc<[u8]>),
    KeepLeftBad(u64, Raw),
    DoneIfKept(u64, Option<Arc<str>>),
    Done(u64, Option<Arc<str>>),
    Left(u64),
    AllLeft,
    DoneUpTo(u64),
    Sync,
    /// What waited for a record to be whole is done, if it is.
    Resume,
    /// A record that is kept nowhere leaves the window.
    Silence,
    EndRejects,
}

/// The action whose outcome is awaited.
#[derive(Debug)]
pub enum Performing {
    /// One that cannot fail.
    Nothing,
    Reject(u64, Failure),
    Begin(u64, Failure, bool),
    /// Something else is written to the rejects, after which this record is still underway.
    Keep(Option<Passing>),
}

/// A record that is written to the rejects without being held.
#[derive(Clone, Copy, Debug)]
pub struct Passing {
    pub number: u64,
    /// It is counted as rejected, and not among what is left over at the end.
    pub is_counted: bool,
}
