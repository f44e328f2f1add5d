//! The state of a run while it is going on: SIGUSR1, `--progress` and `--stats`.
//!
//! The loop of a run sets its counts in [`Live`]; separate threads read them. So any request is
//! answered at once, even while the loop waits for a broker or a disk, and nothing is disturbed.

pub mod figures;
pub mod live;
pub mod repeats;
pub mod stats_file;
pub mod vigil;
