//! `--peek`: show messages and put them back.

pub mod delivery_limit;
pub mod get;
pub mod queue;
pub mod rescue;
pub mod returns;
pub mod stream;
