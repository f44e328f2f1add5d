//! `--follow` and `--positions`: files that grow and are rotated, and how far they are confirmed.

pub mod entry;
pub mod fingerprint;
pub mod follower;
pub mod generation;
pub mod handle;
pub mod identity;
pub mod last_record;
pub mod log;
pub mod pieces;
pub mod register;
pub mod resume;
pub mod saver;
pub mod scan;
pub mod snapshot;
pub mod store;
pub mod survey;
pub mod tools;
pub mod watch;
