use super::value::{self, Value};

/// A value in wire format, its type first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded(Vec<u8>);

impl Encoded {
    /// A value's bytes.
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        Encoded(bytes)
    }

    /// The bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The value.
    pub fn value(&self) -> Value<'_> {
        value::value(&mut self.0.as_slice()).unwrap_or(Value::Void)
    }
}

impl From<Value<'_>> for Encoded {
    fn from(value: Value<'_>) -> Self {
        let mut bytes = Vec::new();
        value.put(&mut bytes);
        Encoded(bytes)
    }
}
