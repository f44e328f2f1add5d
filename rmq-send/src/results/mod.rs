//! What became of each record, and the places where that is reported or kept.

pub mod ack_to;
pub mod action;
pub mod fate;
pub mod frontier;
pub mod leaving;
pub mod outputs;
pub mod places;
pub mod ranges;
pub mod record_file;
pub mod rejected_summary;
pub mod rejects;
pub mod report;
pub mod step;
pub mod tally;
pub mod tee;
pub mod verdict;
