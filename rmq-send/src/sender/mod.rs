//! The loop that sends, over a core that decides.
//!
//! `run_loop` waits for what happens next; `answers`, `recovery`, `ending` and `times` are what it
//! does then. `account` decides without I/O what becomes of each record, over the `window`.

pub mod account;
mod answers;
mod ending;
pub mod entry;
pub mod job;
mod recovery;
pub mod run_loop;
pub mod stop;
mod times;
pub mod window;
