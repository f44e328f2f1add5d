//! `--ack downstream`: what the sender at the end of the pipeline reports.

pub mod fifo;
pub mod lines;
pub mod sender;
