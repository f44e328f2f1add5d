//! Standard output: what is written, and how much of it was read.

pub mod batch;
pub mod pipe;
pub mod reader;
pub mod taken;
pub mod writer;
