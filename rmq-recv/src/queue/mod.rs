//! The queue that messages come from, and its consumer.

pub mod dead_letter;
pub mod offset;
pub mod retry;
pub mod source;
pub mod subscription;
