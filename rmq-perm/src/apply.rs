//! `apply`: makes the broker's permissions those of a file.
//!
//! * [`sections`], [`columns`] and [`rows`] read the file; [`desired`] is what it asks for as a whole, [`checks`]
//!   what is wrong with it for the broker.
//! * [`state`] is what the broker has; [`plan`] the difference, as a [`change`] each in an order in
//!   which they can be made.
//! * [`exchanges`] are where topic permissions can be; [`unnamed`] is what pruning does not compare.

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
