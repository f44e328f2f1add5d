//! `apply`: a file says how permissions are to be, and what differs is made so.
//!
//! * [`columns`] and [`rows`] read the file; [`wishes`] is what it asks for as a whole.
//! * [`state`] is what the broker has; [`plan`] the difference, as changes in an order in which
//!   each can be made.

pub mod columns;
pub mod plan;
pub mod rows;
pub mod state;
pub mod wishes;
