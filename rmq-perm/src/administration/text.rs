/// A name or pattern in the broker's form: nearly always UTF-8, which the broker does not require.
pub type Text = Vec<u8>;
