//! JSON, token by token.
//!
//! serde_json's deserializer does not fit: its errors give the position where it noticed them, not
//! where the value began, and quote content; it turns an integer beyond 64 bits into a float; and
//! it recurses. The rules are those of RFC 8259, and a test compares this scanner with serde_json.

use super::malformed::Malformed;
use super::text;
use std::borrow::Cow;

/// The kind of the next value, from its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    String,
    Number,
    True,
    False,
    Null,
}

impl Kind {
    /// The kind in words, with its article.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Object => "an object",
            Kind::Array => "an array",
            Kind::String => "a string",
            Kind::Number => "a number",
            Kind::True => "true",
            Kind::False => "false",
            Kind::Null => "null",
        }
    }
}

/// A number as written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number<'a> {
    /// Its text, for `str::parse` of the desired type.
    pub(super) text: &'a str,
    /// Whether it has neither a fraction nor an exponent.
    pub(super) whole: bool,
}

/// A member's name, and the number of bytes of the line before it.
#[derive(Debug)]
pub(super) struct Name<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) offset: usize,
}

/// A position in a JSON text.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Scanner<'a> {
    /// At the start of `text`.
    pub(super) fn new(text: &'a str) -> Self {
        Scanner { text, offset: 0 }
    }

    /// The number of bytes before the next token.
    pub(super) fn offset(&mut self) -> usize {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.offset += 1;
        }
        self.offset
    }

    /// The kind of the next value; nothing is consumed.
    pub(super) fn kind(&mut self) -> Result<Kind, Malformed> {
        Ok(match self.rest() {
            [b'{', ..] => Kind::Object,
            [b'[', ..] => Kind::Array,
            [b'"', ..] => Kind::String,
            [b'-' | b'0'..=b'9', ..] => Kind::Number,
            [b't', b'r', b'u', b'e', ..] => Kind::True,
            [b'f', b'a', b'l', b's', b'e', ..] => Kind::False,
            [b'n', b'u', b'l', b'l', ..] => Kind::Null,
            _ => return Err(self.expected("a value")),
        })
    }

    /// Skips `true`, `false` or `null`, as [`kind`](Self::kind) announced.
    pub(super) fn word(&mut self, kind: Kind) {
        self.offset += kind.name().len();
    }

    /// A string, borrowed from the text if nothing in it is escaped.
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        let start = self.offset();
        let (string, end) = text::read(self.text, start)?;
        self.offset = end;
        Ok(string)
    }

    /// A number.
    pub(super) fn number(&mut self) -> Result<Number<'a>, Malformed> {
        let start = self.offset();
        let bytes = self.text.as_bytes();
        let wrong = || Malformed::at(start, "not a JSON number");
        let digits = |from: usize| {
            let rest = bytes.get(from..).unwrap_or_default();
            from + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
        };
        let first = start + usize::from(bytes.get(start) == Some(&b'-'));
        let mut end = digits(first);
        if end == first || (bytes.get(first) == Some(&b'0') && end > first + 1) {
            return Err(wrong());
        }
        let whole_end = end;
        if bytes.get(end) == Some(&b'.') {
            let fraction = end + 1;
            end = digits(fraction);
            if end == fraction {
                return Err(wrong());
            }
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let signed = matches!(bytes.get(end + 1), Some(b'+' | b'-'));
            let exponent = end + 1 + usize::from(signed);
            end = digits(exponent);
            if end == exponent {
                return Err(wrong());
            }
        }
        self.offset = end;
        let text = self.text.get(start..end).unwrap_or_default();
        Ok(Number { text, whole: end == whole_end })
    }

    /// Enters an object or an array, as [`kind`](Self::kind) announced.
    pub(super) fn enter(&mut self) {
        self.offset();
        self.offset += 1;
    }

    /// The name of an object's next member, up to its colon; `None` at the end of the object.
    /// `first` is whether no member has been read yet.
    pub(super) fn member(&mut self, first: bool) -> Result<Option<Name<'a>>, Malformed> {
        if self.skip(b'}') {
            return Ok(None);
        }
        if !first && !self.skip(b',') {
            return Err(self.expected("\",\" or \"}\""));
        }
        if self.next_byte() != Some(b'"') {
            return Err(self.expected("a member's name between quotes"));
        }
        let offset = self.offset();
        let text = self.string()?;
        if !self.skip(b':') {
            return Err(self.expected("\":\""));
        }
        Ok(Some(Name { text, offset }))
    }

    /// Whether the array has another element; otherwise leaves it. `first` is whether none has been
    /// read yet.
    pub(super) fn element(&mut self, first: bool) -> Result<bool, Malformed> {
        if self.skip(b']') {
            return Ok(false);
        }
        if !first && !self.skip(b',') {
            return Err(self.expected("\",\" or \"]\""));
        }
        Ok(true)
    }

    /// Checks that only blanks follow.
    pub(super) fn end(&mut self, what: &str) -> Result<(), Malformed> {
        let offset = self.offset();
        match self.next_byte() {
            None => Ok(()),
            Some(_) => Err(Malformed::at(offset, format!("something follows {what}"))),
        }
    }

    /// An error that says what is expected here.
    pub(super) fn expected(&mut self, what: &str) -> Malformed {
        let offset = self.offset();
        match self.next_byte() {
            Some(_) => Malformed::at(offset, format!("expected {what}")),
            None => Malformed::at(offset, format!("expected {what}, but the text ends here")),
        }
    }

    fn next_byte(&mut self) -> Option<u8> {
        self.offset();
        self.byte()
    }

    /// Describes the next token.
    fn rest(&mut self) -> &'a [u8] {
        let offset = self.offset();
        self.text.as_bytes().get(offset..).unwrap_or_default()
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.offset).copied()
    }

    /// Consumes `byte` if it is next.
    fn skip(&mut self, byte: u8) -> bool {
        let comes = self.next_byte() == Some(byte);
        self.offset += usize::from(comes);
        comes
    }
}
