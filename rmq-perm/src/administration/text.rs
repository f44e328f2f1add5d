/// A name or pattern as the broker has it. Nearly always UTF-8, but the broker does not require it.
pub type Text = Vec<u8>;
