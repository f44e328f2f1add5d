//! How a run stands, for those who ask while it goes on: SIGUSR1, `--progress` and `--stats`.
//!
//! The loop of a run sets its counts in [`Live`]; threads of their own read them. So whoever asks
//! gets an answer at once, also while the loop waits for a broker or for a disk, and disturbs
//! nothing.

pub mod figures;
pub mod live;
pub mod repeats;
pub mod stats_file;
pub mod vigil;
