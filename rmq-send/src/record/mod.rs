//! From the bytes of a record to the message that is published.

pub mod compose;
pub mod envelope;
pub mod envelope_hint;
pub mod headers;
pub mod item;
pub mod properties;
pub mod unsupported;
pub mod wire_size;
