//! The lines that the torture sends: each shows its number, the run of rmq-send that was given it,
//! and whether it is complete; and what was added on the way.

use crate::text::{checked, unchecked};

/// A line. It is sent again, by another run, if a run was killed before it was confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Line {
    /// Its number, from 0.
    pub number: u32,
    /// The run that was given it.
    pub run: u32,
}

impl Line {
    /// Its text, with its end. Most are short; a few fill several TCP segments.
    pub fn text(self) -> String {
        let Line { number, run } = self;
        let length = if number % 500 == 499 { 20_000 } else { number as usize * 7 % 120 };
        checked(&format!("{number}:{run}:{}", "x".repeat(length)))
    }

    /// Parses a line without its end; `None` if it is not complete.
    pub fn read(text: &[u8]) -> Option<Self> {
        let mut words = unchecked(text)?.split(':');
        let mut number = || words.next()?.parse().ok();
        Some(Line { number: number()?, run: number()? })
    }
}

/// A line as a receiver wrote it, with the format `%R %s\n` or `%R %h %s\n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The line.
    pub line: Line,
    /// Whether it was marked as delivered before, by this queue's broker or the previous one's.
    pub redelivered: bool,
    /// The pipeline that it passed, or the run that sent it from a followed log.
    pub through: Option<u32>,
}

impl Delivery {
    /// Parses what a receiver wrote, without its end; `None` if it is not complete.
    pub fn read(record: &[u8]) -> Option<Self> {
        let start = record.iter().position(|byte| *byte == b'#')?;
        let (marks, line) = record.split_at(start);
        let line = Line::read(line)?;
        let marks: Vec<&str> = std::str::from_utf8(marks).ok()?.split_ascii_whitespace().collect();
        let mark = |mark: &str| ["0", "1"].contains(&mark).then(|| mark == "1");
        match marks[..] {
            [outer] => Some(Delivery { line, redelivered: mark(outer)?, through: None }),
            [outer, headers] => {
                let run = headers.strip_prefix("{\"run\":")?;
                let run = run.split([',', '}']).next()?.parse().ok()?;
                Some(Delivery { line, redelivered: mark(outer)?, through: Some(run) })
            }
            [outer, pipeline, inner] => {
                let pipeline = pipeline.strip_prefix('>')?.parse().ok()?;
                let redelivered = mark(outer)? | mark(inner)?;
                Some(Delivery { line, redelivered, through: Some(pipeline) })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_what_was_sent_and_the_marks_it_was_given() {
        let line = Line { number: 7, run: 3 };
        let text = line.text();
        let text = text.trim_end();
        let delivery = Delivery { line, redelivered: false, through: None };
        assert_eq!(Delivery::read(format!("0 {text}").as_bytes()), Some(delivery));
        let delivery = Delivery { line, redelivered: true, through: Some(12) };
        assert_eq!(Delivery::read(format!("0 >12 1 {text}").as_bytes()), Some(delivery));
        let delivery = Delivery { line, redelivered: true, through: Some(4) };
        assert_eq!(Delivery::read(format!("1 {{\"run\":4}} {text}").as_bytes()), Some(delivery));
        for torn in ["", "0 ", text, &format!("0 {}", &text[..text.len() - 1])] {
            assert_eq!(Delivery::read(torn.as_bytes()), None, "{torn}");
        }
    }
}
