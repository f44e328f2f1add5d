//! `--format pretty`: a message as a human-readable block of lines, which no program reads.

use crate::delivery::field::{shown, utc};
use crate::delivery::indent::indented;
use crate::delivery::message::Message;
use rmq_common::count::counted;
use rmq_common::escape::{escape, is_control};
use rmq_common::message::{Fields, PROPERTIES, Property, Table, Value};
use rustix::termios::tcgetwinsize;
use unicode_width::UnicodeWidthChar;

/// Columns if there is no terminal.
const COLUMNS: usize = 80;
/// A terminal is hardly ever narrower, whatever it reports.
const LEAST_COLUMNS: usize = 20;
/// The most lines of a body that are shown.
const LINES: usize = 40;
/// Marks what was cut off.
const CUT: &str = "...";
const DEATHS: &[u8] = b"x-death";

/// The columns of standard output.
pub fn columns() -> usize {
    let columns = tcgetwinsize(std::io::stdout()).map(|size| usize::from(size.ws_col));
    columns.ok().filter(|columns| *columns >= LEAST_COLUMNS).unwrap_or(COLUMNS)
}

/// A message as a block that ends with an empty line.
pub fn block(message: &Message, columns: usize) -> Vec<u8> {
    let mut block = Block { text: String::new(), columns };
    block.head(message);
    block.properties(message);
    if let Some(headers) = &message.properties.headers {
        block.headers(headers);
    }
    block.body(&message.body);
    block.text.push('\n');
    block.text.into_bytes()
}

struct Block {
    text: String,
    columns: usize,
}

impl Block {
    /// A line, cut to the width.
    fn line(&mut self, indent: usize, line: &[u8]) {
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.text.push_str(&cut(line, self.columns.saturating_sub(indent)));
        self.text.push('\n');
    }

    fn head(&mut self, message: &Message) {
        let Message { exchange, routing_key, redelivered, body, .. } = message;
        let exchange = if exchange.is_empty() { b"(default)" } else { exchange.as_bytes() };
        let mut head = [b"exchange ", exchange, b", key ", routing_key.as_bytes()].concat();
        head.extend_from_slice(format!(", {}", counted(body.len() as u64, "byte")).as_bytes());
        if let Some(offset) = message.stream_offset() {
            head.extend_from_slice(format!(", offset {offset}").as_bytes());
        }
        match message.returns() {
            Some(returns) if returns > 0 => {
                let times = counted(returns, "time");
                head.extend_from_slice(format!(", redelivered {times}").as_bytes());
            }
            _ if *redelivered => head.extend_from_slice(b", redelivered"),
            _ => {}
        }
        self.line(0, &head);
    }

    fn properties(&mut self, message: &Message) {
        let properties = &message.properties;
        for (name, property) in PROPERTIES {
            let value = match property {
                Property::Text(text) => properties.get(text).map(|it| it.as_bytes().to_vec()),
                Property::Octet(octet) => properties.octet(octet).map(|it| it.to_string().into()),
                Property::Timestamp => properties.timestamp.map(|it| time(it).into_bytes()),
                Property::Headers => None,
            };
            if let Some(value) = value {
                self.line(2, &[name.as_bytes(), b": ", &value].concat());
            }
        }
    }

    fn headers(&mut self, headers: &Table) {
        for field in headers.fields() {
            match field.value {
                Value::Array(deaths) if field.name == DEATHS => {
                    for death in deaths {
                        match death {
                            Value::Table(fields) => self.line(2, died(fields).as_bytes()),
                            other => self.line(2, &[b"death: ", &*shown(other)].concat()),
                        }
                    }
                }
                value => self.line(2, &[b"header ", field.name, b": ", &*shown(value)].concat()),
            }
        }
    }

    fn body(&mut self, body: &[u8]) {
        let indented = indented(body);
        let body = indented.as_deref().unwrap_or(body);
        // The newline that ends the last line does not begin another.
        let lines = body.strip_suffix(b"\n").unwrap_or(body).split(|byte| *byte == b'\n');
        for line in lines.clone().take(LINES) {
            self.line(4, line);
        }
        let more = lines.count().saturating_sub(LINES);
        if more > 0 {
            self.line(4, format!("{CUT} {} more", counted(more as u64, "line")).as_bytes());
        }
    }
}

/// One entry of `x-death`: why the message left which queue, how often and when.
fn died(fields: Fields<'_>) -> String {
    let field = |name: &[u8]| fields.into_iter().find(|it| it.name == name).map(|it| it.value);
    let text = |name: &[u8]| {
        field(name)
            .map_or_else(|| "?".into(), |value| String::from_utf8_lossy(&shown(value)).into_owned())
    };
    let count = field(b"count").and_then(|value| value.whole_number()).unwrap_or(1);
    let (reason, queue, times) = (text(b"reason"), text(b"queue"), counted(count, "time"));
    let mut line = format!("death: {reason} in {queue}, {times}");
    if let Some(Value::Timestamp(seconds)) = field(b"time") {
        line.push_str(&format!(", first {}", time(seconds)));
    }
    let exchange = text(b"exchange");
    let exchange = if exchange.is_empty() { "(default)" } else { &exchange };
    line.push_str(&format!(", exchange {exchange}"));
    if let Some(Value::Array(keys)) = field(b"routing-keys") {
        let keys: Vec<_> =
            keys.map(|key| String::from_utf8_lossy(&shown(key)).into_owned()).collect();
        line.push_str(&format!(", key {}", keys.join(", ")));
    }
    line
}

fn time(seconds: u64) -> String {
    utc(seconds).unwrap_or_else(|| seconds.to_string())
}

/// The part of a line that fits into this many columns, escaped.
fn cut(line: &[u8], columns: usize) -> String {
    // A character takes at most four bytes, so this is more than fits, or the whole line.
    let some = line.get(..columns.saturating_mul(4).saturating_add(4)).unwrap_or(line);
    let text = escape(some, is_control);
    let width = |letter: char| letter.width().unwrap_or(0);
    if some.len() == line.len() && text.chars().map(width).sum::<usize>() <= columns {
        return text;
    }
    let mut room = columns.saturating_sub(CUT.len());
    let fits = text.chars().take_while(|letter| {
        let left = room.checked_sub(width(*letter));
        room = left.unwrap_or(0);
        left.is_some()
    });
    fits.chain(CUT.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rmq_common::envelope::Envelope;
    use rmq_common::message::Name;

    fn pretty(envelope: &str, body: &[u8], columns: usize) -> String {
        let properties = Envelope::decode(envelope.as_bytes()).unwrap().properties;
        let message = Message {
            tag: 1,
            redelivered: true,
            exchange: Name::default(),
            routing_key: Name::new("jobs").unwrap(),
            properties,
            body: body.to_vec(),
        };
        String::from_utf8(block(&message, columns)).unwrap()
    }

    #[test]
    fn a_block_has_what_is_set_and_unfolds_what_is_folded() {
        let envelope = "{\"content_type\":\"application/json\",\"timestamp\":1700000000,\
            \"headers\":{\"tries\":3,\"x-death\":[{\"count\":{\"$long\":2},\"reason\":\"rejected\",\
            \"queue\":\"work\",\"exchange\":\"\",\"routing-keys\":[\"work\"]}]},\"priority\":4}";
        let envelope = envelope.replace("{\"$long\":2}", "2");
        assert_eq!(
            pretty(&envelope, b"{\"a\":[1,2],\"b\":\"x\"}", 80),
            "exchange (default), key jobs, 19 bytes, redelivered\n  \
               content_type: application/json\n  \
               priority: 4\n  \
               timestamp: 2023-11-14T22:13:20Z\n  \
               header tries: 3\n  \
               death: rejected in work, 2 times, exchange (default), key work\n    \
                 {\n      \"a\": [\n        1,\n        2\n      ],\n      \"b\": \"x\"\n    }\n\n"
        );
    }

    #[test]
    fn what_is_strange_is_escaped_and_what_is_long_is_cut() {
        let block = pretty("{}", b"\x1b[2J\xff\tx\nsecond\n", 30);
        assert!(block.ends_with("\n    \\x1b[2J\\xff\\tx\n    second\n\n"), "{block}");
        let long = pretty("{}", "ä".repeat(1000).as_bytes(), 30);
        assert!(long.ends_with(&format!("\n    {}...\n\n", "ä".repeat(23))), "{long}");
        let wide = pretty("{}", "漢".repeat(20).as_bytes(), 30);
        assert!(wide.ends_with(&format!("\n    {}...\n\n", "漢".repeat(11))), "{wide}");
        for line in pretty("{}", &[0; 500], 40).lines() {
            assert!(line.len() <= 40, "{line}");
        }
        let lines = pretty("{}", "x\n".repeat(100).as_bytes(), 40);
        assert!(lines.ends_with("    x\n    ... 60 lines more\n\n"), "{lines}");
    }
}
