//! A template for records, with the letters that users of kcat and amqpcat know.

use crate::delivery::envelope;
use crate::delivery::message::Message;
use crate::output::batch::Batch;
use memchr::memchr_iter;
use rmq_common::backslash::escaped;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(Vec<u8>),
    Body,
    BodyLength,
    RoutingKey,
    Exchange,
    DeliveryTag,
    Redelivered,
    Headers,
    Timestamp,
    StreamOffset,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// A sentence about the first letter that means nothing.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = Vec::new();
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '%' => match field(letters.next())? {
                    Some(part) => {
                        if !literal.is_empty() {
                            parts.push(Part::Literal(std::mem::take(&mut literal)));
                        }
                        parts.push(part);
                    }
                    None => literal.push(b'%'),
                },
                '\\' => {
                    let byte = escaped(&mut letters);
                    literal.push(byte.map_err(|why| format!("{why} in a template"))?);
                }
                other => literal.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Template(parts))
    }

    /// The byte that ends each record, where the template ends with one.
    pub fn separator(&self) -> Option<u8> {
        match self.0.last()? {
            Part::Literal(text) => text.last().copied().filter(|last| [b'\n', 0].contains(last)),
            _ => None,
        }
    }

    /// Adds a message to what is written, and counts this byte in what it adds.
    pub fn write(&self, message: &Message, batch: &mut Batch, counted: Option<u8>) -> u64 {
        let mut count = 0;
        let number = |number: Option<u64>| {
            number.map(|number| number.to_string()).unwrap_or_default().into_bytes()
        };
        for part in &self.0 {
            let owned;
            let bytes: &[u8] = match part {
                Part::Literal(text) => text,
                Part::Body => &message.body,
                Part::RoutingKey => message.routing_key.as_bytes(),
                Part::Exchange => message.exchange.as_bytes(),
                Part::Redelivered => {
                    if message.redelivered {
                        b"1"
                    } else {
                        b"0"
                    }
                }
                Part::BodyLength => {
                    owned = number(Some(message.body.len() as u64));
                    &owned
                }
                Part::DeliveryTag => {
                    owned = number(Some(message.tag));
                    &owned
                }
                Part::Headers => {
                    owned = envelope::headers(&message.properties);
                    &owned
                }
                Part::Timestamp => {
                    owned = number(message.properties.timestamp);
                    &owned
                }
                Part::StreamOffset => {
                    owned = number(message.stream_offset());
                    &owned
                }
            };
            count += counted.map_or(0, |counted| memchr_iter(counted, bytes).count() as u64);
            batch.put(bytes);
        }
        count
    }
}

/// What stands for a letter behind `%`; `None` for the sign itself.
fn field(letter: Option<char>) -> Result<Option<Part>, String> {
    Ok(Some(match letter {
        Some('s') => Part::Body,
        Some('S') => Part::BodyLength,
        Some('r' | 'k') => Part::RoutingKey,
        Some('e') => Part::Exchange,
        Some('t') => Part::DeliveryTag,
        Some('R') => Part::Redelivered,
        Some('h') => Part::Headers,
        Some('T') => Part::Timestamp,
        Some('o') => Part::StreamOffset,
        Some('%') => return Ok(None),
        Some(other) => return Err(format!("%{other} is not a template field")),
        None => return Err("a template ends after a lone %".to_owned()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rmq_common::message::{Name, Properties};

    fn message() -> Message {
        let mut properties = Properties::default();
        properties.timestamp = Some(1_700_000_000);
        Message {
            tag: 7,
            redelivered: true,
            exchange: Name::new("logs").unwrap(),
            routing_key: Name::new(b"a.\xff").unwrap(),
            properties,
            body: b"x\n\xff".to_vec(),
        }
    }

    fn written(template: &str) -> Vec<u8> {
        let mut batch = Batch::default();
        Template::parse(template).unwrap().write(&message(), &mut batch, None);
        batch.chunks().flatten().copied().collect()
    }

    #[test]
    fn every_letter_and_escape_stands_for_what_the_manual_says() {
        assert_eq!(written("%s"), b"x\n\xff");
        assert_eq!(
            written("%e/%r=%k %t %R %S %T [%o] %h\\n"),
            b"logs/a.\xff=a.\xff 7 1 3 1700000000 [] {}\n"
        );
        assert_eq!(written("100%% \\t\\0\\r\\\\\\x41\\xfFz\u{e4}"), b"100% \t\0\r\\A\xffz\xc3\xa4");
    }

    #[test]
    fn a_slip_is_named() {
        for (template, why) in [
            ("%q", "%q is not"),
            ("%", "after a lone %"),
            ("\\q", "\\q means nothing"),
            ("a\\", "in the middle of a \\"),
            ("\\x4", "two hexadecimal digits"),
            ("\\x\u{e4}\u{e4}", "two hexadecimal digits"),
        ] {
            assert!(Template::parse(template).unwrap_err().contains(why), "{template}");
        }
    }

    #[test]
    fn records_are_counted_where_the_template_ends_each_with_the_same_byte() {
        let parse = |text| Template::parse(text).unwrap();
        assert_eq!(parse("%s\\n").separator(), Some(b'\n'));
        assert_eq!(parse("%s\\0").separator(), Some(0));
        assert_eq!(parse("%s\\t").separator(), None);
        assert_eq!(parse("\\n%s").separator(), None);
        let mut batch = Batch::default();
        assert_eq!(parse("%s\\n%r\\n").write(&message(), &mut batch, Some(b'\n')), 3);
    }

    proptest! {
        #[test]
        fn any_text_is_a_template_or_refused_and_writes_what_there_is(
            text in "(%[a-zA-Z%{}]|\\\\[a-z0-9\\\\]|\\PC){0,12}",
        ) {
            if let Ok(template) = Template::parse(&text) {
                let mut batch = Batch::default();
                template.write(&message(), &mut batch, template.separator());
            }
        }
    }
}
