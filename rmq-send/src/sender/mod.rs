//! The loop that sends, over a core that decides.

pub mod account;
mod answers;
mod ending;
mod recovery;
pub mod run_loop;
pub mod stop;
pub mod window;
