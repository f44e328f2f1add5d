//! A delivered message, and what it looks like as a record.

pub mod envelope;
pub mod framing;
pub mod ids;
pub mod message;
pub mod template;
