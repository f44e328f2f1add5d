//! Short strings: names, routing keys, the texts of properties.

use crate::cli::shown::shown_bytes;
use std::fmt;

/// A short string (AMQP 0-9-1, section 4.2.5.3): at most 255 bytes, whatever they are.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<[u8]>);

/// It has this number of bytes, which are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong(pub usize);

impl Name {
    /// These bytes.
    ///
    /// # Errors
    /// They are more than 255.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, TooLong> {
        let bytes = bytes.as_ref();
        match u8::try_from(bytes.len()) {
            Ok(_) => Ok(Name(bytes.into())),
            Err(_) => Err(TooLong(bytes.len())),
        }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text that they are, if they are UTF-8.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As diagnostics show it.
    pub fn shown(&self) -> String {
        shown_bytes(&self.0)
    }

    /// Appends it as it is on the wire.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        put(&self.0, out);
    }
}

/// Appends a short string; `bytes` are at most 255.
pub(super) fn put(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(u8::try_from(bytes.len()).unwrap_or(u8::MAX));
    out.extend(bytes.iter().take(usize::from(u8::MAX)));
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "has {} bytes; AMQP allows 255", self.0)
    }
}
