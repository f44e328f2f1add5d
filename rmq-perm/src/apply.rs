//! `apply`: makes the broker's permissions those of a file.
//!
//! * [`sections`], [`columns`] and [`rows`] read the file; [`desired`] is the state it asks for,
//!   and [`checks`] finds what the broker would not accept in it.
//! * [`state`] is the broker's present state; [`plan`] the difference, as a list of [`change`]s in
//!   an order in which they can be made.
//! * [`exchanges`] checks where topic permissions take effect; [`unnamed`] reports what pruning
//!   skips.

pub mod change;
pub mod checks;
pub mod columns;
pub mod desired;
mod exchanges;
pub mod plan;
pub mod rows;
pub mod sections;
pub mod state;
pub mod unnamed;
