//! A delivered message, and its form as a record.

pub mod envelope;
mod field;
pub mod framing;
pub mod ids;
mod indent;
pub mod message;
pub mod pretty;
pub mod template;
