//! What a message looks like on standard output (`--format`).

use crate::delivery::envelope::{self, Keep};
use crate::delivery::message::{Arrived, Message};
use crate::delivery::pretty;
use crate::delivery::template::Template;
use crate::output::batch::Batch;
use memchr::memchr_iter;
use rmq_common::frame::Frame;
use rmq_common::lane::Content;
use std::str::FromStr;

/// Roughly what an envelope adds to a body.
const ENVELOPE: usize = 256;

/// What a message looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Framing {
    /// The body and a newline.
    Lines,
    /// The body and a NUL.
    Nul,
    /// The body after its length, in four bytes, big-endian.
    Length,
    /// A json envelope and a newline.
    Json(Keep),
    /// As a template says.
    Template(Template),
    /// A human-readable block of lines, for a terminal of this many columns.
    Pretty(usize),
}

/// How a reader finds the boundaries of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Records {
    /// Each ends with this byte, so a body that contains it is more than one record.
    End(u8),
    /// Each message is one record.
    Each,
    /// They cannot be found.
    Unknown,
}

/// What a message became.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// Records, as the reader counts them.
    pub records: u64,
    /// With line framing: whether its body contains a newline.
    pub newline: bool,
}

impl FromStr for Framing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "lines" => Ok(Framing::Lines),
            "nul" => Ok(Framing::Nul),
            "length" => Ok(Framing::Length),
            "json" => Ok(Framing::Json(Keep::default())),
            "pretty" => Ok(Framing::Pretty(pretty::columns())),
            // Text without a field would be the same for every message, so it must be a mistake.
            text if text.contains('%') => Template::parse(text).map(Framing::Template),
            _ => {
                Err("expected lines, nul, length, json, pretty or a template such as '%r\\t%s\\n'"
                    .to_owned())
            }
        }
    }
}

impl Framing {
    /// How a reader finds the boundaries of records.
    pub fn records(&self) -> Records {
        match self {
            Framing::Lines => Records::End(b'\n'),
            Framing::Nul => Records::End(0),
            Framing::Length | Framing::Json(_) => Records::Each,
            Framing::Pretty(_) => Records::Unknown,
            Framing::Template(template) => {
                template.separator().map_or(Records::Unknown, Records::End)
            }
        }
    }

    /// Adds a message as it arrived to the batch; `id` is the name of its delivery in an envelope.
    ///
    /// # Errors
    /// This framing cannot represent it; the error is a sentence that says so.
    pub fn write_arrived(
        &self,
        arrived: &Arrived,
        id: Option<String>,
        batch: &mut Batch,
    ) -> Result<Encoded, String> {
        match self.write_body(&arrived.content, batch)? {
            Some(encoded) => Ok(encoded),
            None => self.write(arrived.message()?, id, batch),
        }
    }

    /// Adds a message to the batch; `id` is the name of its delivery in an envelope.
    ///
    /// # Errors
    /// This framing cannot represent it; the error is a sentence that says so.
    pub fn write(
        &self,
        message: Message,
        id: Option<String>,
        batch: &mut Batch,
    ) -> Result<Encoded, String> {
        let one = Encoded { records: 1, newline: false };
        match self {
            Framing::Json(keep) => {
                let mut line = Vec::with_capacity(message.body.len() + ENVELOPE);
                envelope::write(message, id, *keep, &mut line);
                batch.put_body(line);
                Ok(one)
            }
            Framing::Template(template) => {
                let records = template.write(&message, batch, template.separator());
                Ok(Encoded { records, ..one })
            }
            Framing::Pretty(columns) => {
                batch.put_body(pretty::block(&message, *columns));
                Ok(one)
            }
            Framing::Lines | Framing::Nul | Framing::Length => {
                let encoded = self.write_body(&Content::of_body(message.body), batch)?;
                Ok(encoded.unwrap_or(one))
            }
        }
    }

    /// Adds a body to the batch, if this framing shows nothing else of a message; otherwise `None`.
    fn write_body(&self, content: &Content, batch: &mut Batch) -> Result<Option<Encoded>, String> {
        let around = match self {
            Framing::Lines => Frame::LINES,
            Framing::Nul => Frame::NUL,
            Framing::Length => Frame::Length,
            Framing::Json(_) | Framing::Template(_) | Framing::Pretty(_) => return Ok(None),
        };
        if let Some(before) = around.before(content.body_len())? {
            batch.put(&before);
        }
        batch.put_content(content);
        let Some(end) = around.after() else {
            return Ok(Some(Encoded { records: 1, newline: false }));
        };
        batch.put(&[end]);
        let inside = content.pieces().map(|piece| memchr_iter(end, piece).count() as u64);
        let inside = inside.sum::<u64>();
        Ok(Some(Encoded { records: inside + 1, newline: end == b'\n' && inside > 0 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rmq_common::message::{Name, Properties};

    fn written(framing: &str, body: &[u8]) -> (Vec<u8>, Encoded) {
        let message = Message {
            tag: 1,
            redelivered: false,
            exchange: Name::default(),
            routing_key: Name::default(),
            properties: Properties::default(),
            body: body.to_vec(),
        };
        let mut batch = Batch::default();
        let framing: Framing = framing.parse().unwrap();
        let encoded = framing.write(message, None, &mut batch).unwrap();
        (batch.chunks().flatten().copied().collect(), encoded)
    }

    #[test]
    fn each_framing_writes_the_body_and_says_how_many_records_that_is() {
        let encoded = |records, newline| Encoded { records, newline };
        assert_eq!(written("lines", b"a"), (b"a\n".to_vec(), encoded(1, false)));
        assert_eq!(written("lines", b"a\nb\n"), (b"a\nb\n\n".to_vec(), encoded(3, true)));
        assert_eq!(written("nul", b"a\n\0b"), (b"a\n\0b\0".to_vec(), encoded(2, false)));
        assert_eq!(written("length", b"a\n"), (b"\0\0\0\x02a\n".to_vec(), encoded(1, false)));
        assert_eq!(written("length", b""), (b"\0\0\0\0".to_vec(), encoded(1, false)));
        assert_eq!(written("<%s>\\n", b"a\nb"), (b"<a\nb>\n".to_vec(), encoded(2, false)));
    }

    #[test]
    fn a_word_that_names_no_framing_is_refused() {
        assert!("liens".parse::<Framing>().unwrap_err().contains("expected lines"));
        assert_eq!("%s".parse::<Framing>().unwrap().records(), Records::Unknown);
    }
}
