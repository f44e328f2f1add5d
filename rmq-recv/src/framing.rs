//! What a message looks like on standard output (`--format`).

use crate::batch::Batch;
use crate::envelope::{self, Keep};
use crate::message::{Arrived, Message};
use crate::template::Template;
use memchr::memchr_iter;
use std::str::FromStr;

/// What an envelope adds to a body, more or less.
const ENVELOPE: usize = 256;

/// What a message looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Framing {
    /// The body and a newline.
    Lines,
    /// The body and a NUL.
    Nul,
    /// The body behind its length, in four bytes, the highest first.
    Length,
    /// A json envelope and a newline.
    Json(Keep),
    /// As the user says.
    Template(Template),
}

/// How whoever reads the output tells one record from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Records {
    /// Each ends with this byte, so that a body with that inside is more than one.
    End(u8),
    /// Each message is one.
    Each,
    /// It cannot tell.
    Unknown,
}

/// What a message became.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// Records, as whoever reads the output counts them.
    pub records: u64,
    /// In line framing: its body has a newline inside.
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
            // A word without a field would write the same for every message: it is a slip.
            text if text.contains('%') => Template::parse(text).map(Framing::Template),
            _ => {
                Err("neither lines, nul, length nor json, nor a template like '%r\\t%s\\n'"
                    .to_owned())
            }
        }
    }
}

impl Framing {
    /// How whoever reads the output tells one record from the next.
    pub fn records(&self) -> Records {
        match self {
            Framing::Lines => Records::End(b'\n'),
            Framing::Nul => Records::End(0),
            Framing::Length | Framing::Json(_) => Records::Each,
            Framing::Template(template) => {
                template.separator().map_or(Records::Unknown, Records::End)
            }
        }
    }

    /// Adds a message as it came to what is written; `id` is what an envelope calls its delivery.
    ///
    /// # Errors
    /// When this framing cannot carry it; a sentence that says so.
    pub fn write_arrived(
        &self,
        arrived: &Arrived,
        id: Option<String>,
        batch: &mut Batch,
    ) -> Result<Encoded, String> {
        let content = &arrived.content;
        let inside = |byte| {
            content.pieces().map(|piece| memchr_iter(byte, piece).count() as u64).sum::<u64>()
        };
        Ok(match self {
            Framing::Lines => {
                let inside = inside(b'\n');
                batch.put_content(content);
                batch.put(b"\n");
                Encoded { records: inside + 1, newline: inside > 0 }
            }
            Framing::Nul => {
                let inside = inside(0);
                batch.put_content(content);
                batch.put(&[0]);
                Encoded { records: inside + 1, newline: false }
            }
            Framing::Length => {
                batch.put(&length(content.body_len())?);
                batch.put_content(content);
                Encoded { records: 1, newline: false }
            }
            Framing::Json(_) | Framing::Template(_) => self.write(arrived.message()?, id, batch)?,
        })
    }

    /// Adds a message to what is written; `id` is what an envelope calls its delivery.
    ///
    /// # Errors
    /// When this framing cannot carry it; a sentence that says so.
    pub fn write(
        &self,
        message: Message,
        id: Option<String>,
        batch: &mut Batch,
    ) -> Result<Encoded, String> {
        let one = Encoded { records: 1, newline: false };
        Ok(match self {
            Framing::Lines => {
                let inside = memchr_iter(b'\n', &message.body).count() as u64;
                batch.put_body(message.body);
                batch.put(b"\n");
                Encoded { records: inside + 1, newline: inside > 0 }
            }
            Framing::Nul => {
                let inside = memchr_iter(0, &message.body).count() as u64;
                batch.put_body(message.body);
                batch.put(&[0]);
                Encoded { records: inside + 1, ..one }
            }
            Framing::Length => {
                batch.put(&length(message.body.len())?);
                batch.put_body(message.body);
                one
            }
            Framing::Json(keep) => {
                let mut line = Vec::with_capacity(message.body.len() + ENVELOPE);
                envelope::write(message, id, *keep, &mut line);
                batch.put_body(line);
                one
            }
            Framing::Template(template) => {
                let records = template.write(&message, batch, template.separator());
                Encoded { records, newline: false }
            }
        })
    }
}

/// A length as it stands before a body.
fn length(length: usize) -> Result<[u8; 4], String> {
    let length = u32::try_from(length);
    let length =
        length.map_err(|_| "its body is too long for a length of four bytes".to_owned())?;
    Ok(length.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lapin::BasicProperties;
    use lapin::types::ShortString;

    fn written(framing: &str, body: &[u8]) -> (Vec<u8>, Encoded) {
        let message = Message {
            tag: 1,
            redelivered: false,
            exchange: ShortString::default(),
            routing_key: ShortString::default(),
            properties: BasicProperties::default(),
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
        assert!("liens".parse::<Framing>().unwrap_err().contains("neither lines"));
        assert_eq!("%s".parse::<Framing>().unwrap().records(), Records::Unknown);
    }
}
