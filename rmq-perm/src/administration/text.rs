//! Text as the broker has it.

/// A name or pattern as the broker has it. Nearly always UTF-8, but nothing forces it.
pub type Text = Vec<u8>;
