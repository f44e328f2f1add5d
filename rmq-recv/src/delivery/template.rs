//! A template for records, with the letters that users of kcat and amqpcat know.

use crate::delivery::field::Field;
use crate::delivery::message::Message;
use crate::output::batch::Batch;
use memchr::memchr_iter;
use rmq_common::backslash::escaped;
use rmq_common::message::Property;
use std::str::Chars;

/// Separates a name from the default for a missing field, as in a shell.
const DEFAULT: &str = ":-";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(Vec<u8>),
    /// A field, and its default if the message has none.
    Field(Field, Vec<Part>),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// A sentence about the first letter that has no meaning.
    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(Template(parts(&mut text.chars(), false)?.unwrap_or_default()))
    }

    /// The byte that ends each record, if the template ends with one.
    pub fn separator(&self) -> Option<u8> {
        match self.0.last()? {
            Part::Literal(text) => text.last().copied().filter(|last| [b'\n', 0].contains(last)),
            _ => None,
        }
    }

    /// Adds a message to the batch, and returns how often the added bytes contain this byte.
    pub fn write(&self, message: &Message, batch: &mut Batch, counted: Option<u8>) -> u64 {
        write(&self.0, message, batch, counted)
    }
}

fn write(parts: &[Part], message: &Message, batch: &mut Batch, counted: Option<u8>) -> u64 {
    let mut count = 0;
    let put = |bytes: &[u8], batch: &mut Batch| {
        batch.put(bytes);
        counted.map_or(0, |counted| memchr_iter(counted, bytes).count() as u64)
    };
    for part in parts {
        count += match part {
            Part::Literal(text) => put(text, batch),
            Part::Field(field, default) => match field.of(message) {
                Some(value) => put(&value, batch),
                None => write(default, message, batch, counted),
            },
        };
    }
    count
}

/// Reads the rest of a template, or a default up to its closing brace; `None` if there is no brace.
fn parts(letters: &mut Chars<'_>, is_default: bool) -> Result<Option<Vec<Part>>, String> {
    let mut parts = Vec::new();
    let mut literal = Vec::new();
    let mut open_braces = 0;
    let mut is_ended = !is_default;
    while let Some(letter) = letters.next() {
        match letter {
            '%' => match field(letters)? {
                Some(part) => {
                    if !literal.is_empty() {
                        parts.push(Part::Literal(std::mem::take(&mut literal)));
                    }
                    parts.push(part);
                }
                None => literal.push(b'%'),
            },
            '\\' => literal.push(after_backslash(letters)?),
            '}' if is_default && open_braces == 0 => {
                is_ended = true;
                break;
            }
            other => {
                match other {
                    '{' => open_braces += 1,
                    '}' => open_braces -= 1,
                    _ => {}
                }
                literal.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(is_ended.then_some(parts))
}

/// The character after a backslash; an escaped brace is a brace.
fn after_backslash(letters: &mut Chars<'_>) -> Result<u8, String> {
    for (brace, byte) in [('{', b'{'), ('}', b'}')] {
        if letters.as_str().starts_with(brace) {
            letters.next();
            return Ok(byte);
        }
    }
    escaped(letters).map_err(|why| format!("{why} in a template"))
}

/// What follows a `%`: a letter, or a name in braces with an optional default. `None` for `%%`.
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
        Some('{') => return named(letters).map(Some),
        Some(other) => return Err(format!("%{other} is not a template field")),
        None => return Err("a template ends after a lone %".to_owned()),
    };
    Ok(Some(Part::Field(field, Vec::new())))
}

/// A name with an optional default, up to the closing brace.
fn named(letters: &mut Chars<'_>) -> Result<Part, String> {
    let whole = letters.as_str();
    let unended = || format!("%{{{whole} has no }} at its end");
    let mut name = Vec::new();
    loop {
        if let Some(rest) = letters.as_str().strip_prefix(DEFAULT) {
            *letters = rest.chars();
            let field = Field::named(&name)?;
            let default = parts(letters, true)?.ok_or_else(unended)?;
            return Ok(Part::Field(field, default));
        }
        match letters.next() {
            None => return Err(unended()),
            Some('}') => return Ok(Part::Field(Field::named(&name)?, Vec::new())),
            Some('\\') => name.push(after_backslash(letters)?),
            Some(other) => name.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rmq_common::envelope::Envelope;
    use rmq_common::message::{Name, Properties, Table, Text};

    fn headers() -> Table {
        let array =
            b"{\"headers\":{\"o}:-d\":\"odd\",\"n\":-5,\"t\":\"text\",\"a\":[1],\"b\":true}}";
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
            b"logs/a.\xff=a.\xff 7 1 3 1700000000 [] {\"o}:-d\":\"odd\",\"n\":-5,\"t\":\"text\",\"a\":[1],\"b\":true}\n"
        );
        assert_eq!(written("100%% \\t\\0\\r\\\\\\x41\\xfFz\u{e4}"), b"100% \t\0\r\\A\xffz\xc3\xa4");
    }

    #[test]
    fn every_name_stands_for_what_the_manual_says_and_may_have_a_default() {
        assert_eq!(written("%{body_hex} %{body_base64} %{size}"), b"780aff eAr/ 3");
        assert_eq!(written("%{timestamp} %{timestamp_utc}"), b"1700000000 2023-11-14T22:13:20Z");
        assert_eq!(written("%{exchange}/%{key}/%{routing_key}"), b"logs/a.\xff/a.\xff");
        assert_eq!(written("%{message_id}|%{message_id:-none}|%{priority:-}|"), b"|none||");
        assert_eq!(written("%{message_id:-%{app_id:-%{key}%%}\\t}"), b"a.\xff%\t");
        assert_eq!(written("%{message_id:-{\"a\":{}}}}"), b"{\"a\":{}}}");
        assert_eq!(written("%{message_id:-\\{\\}\\}}"), b"{}}");
        assert_eq!(written("%{header:o\\}\\x3a-d}|%{header:o\\}:-d}"), b"odd|d");
        assert_eq!(written("%{content_type:-none}"), b"text/plain");
        assert_eq!(
            written("%{header:n} %{header:t} %{header:a} %{header:b} %{header:x:-0} %{header:x}"),
            b"-5 text [1] true 0 "
        );
        let received = String::from_utf8(written("%{received} %{received_utc}")).unwrap();
        let (seconds, utc) = received.split_once(' ').unwrap();
        assert!(seconds.parse::<u64>().unwrap() > 1_700_000_000);
        assert!(utc.starts_with("20") && utc.ends_with('Z') && utc.len() == 20, "{utc}");
        // A template for each property.
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
            ("%{type:-{}", "%{type:-{} has no } at its end"),
            ("%{type:-%{app_id:-}", "%{type:-%{app_id:-} has no } at its end"),
            ("%{body\\}", "has no } at its end"),
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
