//! Short strings: names, routing keys, text properties.

use crate::cli::shown::shown_bytes;
use std::fmt;

/// A short string (AMQP 0-9-1, section 4.2.5.3): at most 255 arbitrary bytes.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<[u8]>);

/// It has this number of bytes, which is too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong(pub usize);

impl Name {
    /// Makes a name of these bytes.
    ///
    /// # Errors
    /// More than 255 bytes.
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

    /// The text, if it is UTF-8.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As diagnostics show it.
    pub fn shown(&self) -> String {
        shown_bytes(&self.0)
    }

    /// Appends it in wire format.
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
