//! The loop that sends, over a core that decides.

pub mod account;
mod answers;
mod ending;
pub mod entry;
mod recovery;
pub mod run_loop;
pub mod stop;
pub mod window;
