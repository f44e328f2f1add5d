//! The loop that sends, over a core that decides.

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
