//! A template for records, with the letters that users of kcat and amqpcat know.

use crate::delivery::field::Field;
use crate::delivery::message::Message;
use crate::output::batch::Batch;
use memchr::memchr_iter;
use rmq_common::backslash::escaped;
use rmq_common::message::Property;
use std::str::Chars;

/// Between a name and what stands for a field that is not there, as in a shell.
const DEFAULT: &str = ":-";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(Vec<u8>),
    /// A field, and what stands for it where the message has none.
    Field(Field, Vec<u8>),
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
                '%' => match field(&mut letters)? {
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
        for part in &self.0 {
            let value;
            let bytes: &[u8] = match part {
                Part::Literal(text) => text,
                Part::Field(field, default) => {
                    value = field.of(message);
                    value.as_deref().unwrap_or(default)
                }
            };
            count += counted.map_or(0, |counted| memchr_iter(counted, bytes).count() as u64);
            batch.put(bytes);
        }
        count
    }
}

/// What stands behind `%`: a letter, or a name in braces and perhaps a default. `None` for the sign
/// itself.
fn field(letters: &mut Chars<'_>) -> Result<Option<Part>, String> {
    let field = match letters.next() {
        Some('s') => Field::Body,
        Some('S') => Field::Size,
        Some('r' | 'k') => Field::RoutingKey,
        Some('e') => Field::Exchange,
        Some('t') => Field::DeliveryTag,
        Some('R') => Field::Redelivered,
        Some('h') => Field::Headers,
        Some('T') => Field::Property(Property::Timestamp),
        Some('o') => Field::StreamOffset,
        Some('%') => return Ok(None),
        Some('{') => {
            let rest = letters.as_str();
            let Some((inside, after)) = rest.split_once('}') else {
                return Err(format!("%{{{rest} has no }} at its end"));
            };
            *letters = after.chars();
            let (name, default) = inside.split_once(DEFAULT).unwrap_or((inside, ""));
            return Ok(Some(Part::Field(Field::named(name)?, default.as_bytes().to_vec())));
        }
        Some(other) => return Err(format!("%{other} is not a template field")),
        None => return Err("a template ends after a lone %".to_owned()),
    };
    Ok(Some(Part::Field(field, Vec::new())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rmq_common::envelope::Envelope;
    use rmq_common::message::{Name, Properties, Table, Text};

    fn headers() -> Table {
        let array = b"{\"headers\":{\"n\":-5,\"t\":\"text\",\"a\":[1],\"b\":true}}";
        Envelope::decode(array).unwrap().properties.headers.unwrap()
    }

    fn message() -> Message {
        let mut properties = Properties::default();
        properties.timestamp = Some(1_700_000_000);
        properties.set(Text::ContentType, Name::new("text/plain").unwrap());
        properties.headers = Some(headers());
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
            b"logs/a.\xff=a.\xff 7 1 3 1700000000 [] {\"n\":-5,\"t\":\"text\",\"a\":[1],\"b\":true}\n"
        );
        assert_eq!(written("100%% \\t\\0\\r\\\\\\x41\\xfFz\u{e4}"), b"100% \t\0\r\\A\xffz\xc3\xa4");
    }

    #[test]
    fn every_name_stands_for_what_the_manual_says_and_may_have_a_default() {
        assert_eq!(written("%{body_hex} %{body_base64} %{size}"), b"780aff eAr/ 3");
        assert_eq!(written("%{timestamp} %{timestamp_utc}"), b"1700000000 2023-11-14T22:13:20Z");
        assert_eq!(written("%{exchange}/%{key}/%{routing_key}"), b"logs/a.\xff/a.\xff");
        assert_eq!(written("%{message_id}|%{message_id:-none}|%{priority:-}|"), b"|none||");
        assert_eq!(written("%{content_type:-none}"), b"text/plain");
        assert_eq!(
            written("%{header:n} %{header:t} %{header:a} %{header:b} %{header:x:-0} %{header:x}"),
            b"-5 text [1] true 0 "
        );
        let received = String::from_utf8(written("%{received} %{received_utc}")).unwrap();
        let (seconds, utc) = received.split_once(' ').unwrap();
        assert!(seconds.parse::<u64>().unwrap() > 1_700_000_000);
        assert!(utc.starts_with("20") && utc.ends_with('Z') && utc.len() == 20, "{utc}");
        // As a template for each property.
        for (name, _) in rmq_common::message::PROPERTIES {
            assert!(Template::parse(&format!("%{{{name}}}")).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_slip_is_named() {
        for (template, why) in [
            ("%q", "%q is not"),
            ("%", "after a lone %"),
            ("%{body", "%{body has no } at its end"),
            ("%{mesage_id}", "%{mesage_id} is not a template field; did you mean message_id?"),
            ("%{header:}", "names no header"),
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
            text in "(%[a-zA-Z%{}]|%\\{[a-z_]{0,12}(:-?[a-z]{0,3})?\\}|\\\\[a-z0-9\\\\]|\\PC){0,12}",
        ) {
            if let Ok(template) = Template::parse(&text) {
                let mut batch = Batch::default();
                template.write(&message(), &mut batch, template.separator());
            }
        }
    }
}
