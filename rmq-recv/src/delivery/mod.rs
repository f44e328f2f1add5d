//! A delivered message, and what it looks like as a record.

pub mod envelope;
mod field;
pub mod framing;
pub mod ids;
mod indent;
pub mod message;
pub mod pretty;
pub mod template;
