//! `apply`: a file says how permissions are to be, and what differs is made so.
//!
//! * [`columns`] and [`rows`] read the file; [`desired`] is what it asks for as a whole, [`checks`]
//!   what the broker says against it.
//! * [`state`] is what the broker has; [`plan`] the difference, as a [`change`] each in an order in
//!   which they can be made.
//! * [`exchanges`] are where topic permissions can be; [`unnamed`] is what pruning leaves alone.

pub mod change;
mod checks;
pub mod columns;
pub mod desired;
mod exchanges;
pub mod plan;
pub mod rows;
pub mod state;
pub mod unnamed;
