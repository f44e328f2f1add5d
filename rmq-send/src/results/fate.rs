//! What becomes of a record, and what a confirm says about it.

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The cluster has it.
    Confirmed,
    /// There was nothing to send.
    Empty,
    /// It will not be sent, and goes to `--rejects` when it leaves.
    Rejected,
    /// It will not be sent.
    Failed,
}

/// What a confirm meant.
#[derive(Debug, PartialEq, Eq)]
pub enum Settled {
    /// The cluster has it.
    Confirmed,
    /// It was returned, for this reason.
    Returned(String),
}
