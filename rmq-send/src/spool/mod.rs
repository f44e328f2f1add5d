//! `--spool`: the queue on disk (`disk`), and its connections to the input and the sender.

pub mod claim;
pub mod disk;
pub mod feed;
mod fullness;
pub mod handle;
pub mod intake;
pub mod set_aside;
