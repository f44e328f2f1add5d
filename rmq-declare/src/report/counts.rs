//! What the broker reports about a queue, and its line of output.

use std::fmt;

/// From `queue.declare-ok`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages ready for delivery, excluding those that consumers hold.
    pub messages: u32,
    pub consumers: u32,
}

impl From<&lapin::Queue> for Counts {
    fn from(queue: &lapin::Queue) -> Self {
        Counts { messages: queue.message_count(), consumers: queue.consumer_count() }
    }
}

/// `QUEUE<TAB>messages<TAB>consumers` and a newline.
pub fn line(queue: &str, counts: Counts) -> String {
    format!("{}\t{}\t{}\n", Escaped(queue), counts.messages, counts.consumers)
}

/// `QUEUE<TAB>missing` and a newline.
pub fn missing(queue: &str) -> String {
    format!("{}\tmissing\n", Escaped(queue))
}

/// `QUEUE<TAB>down` and a newline.
pub fn down(queue: &str) -> String {
    format!("{}\tdown\n", Escaped(queue))
}

/// `QUEUE<TAB>deleted<TAB>messages` and a newline, with `-` for an unknown number.
pub fn deleted(queue: &str, messages: Option<u32>) -> String {
    let messages = messages.map_or("-".to_owned(), |messages| messages.to_string());
    format!("{}\tdeleted\t{messages}\n", Escaped(queue))
}

/// `QUEUE<TAB>messages` and a newline, with `-` for an unknown number.
pub fn purged(queue: &str, messages: Option<u32>) -> String {
    let messages = messages.map_or("-".to_owned(), |messages| messages.to_string());
    format!("{}\t{messages}\n", Escaped(queue))
}

/// `NAME<TAB>state` and a newline, for an exchange.
pub fn exchange(name: &str, state: &str) -> String {
    format!("{}\t{state}\n", Escaped(name))
}

/// `QUEUE<TAB>state<TAB>binding` and a newline.
pub fn binding(queue: &str, state: &str, binding: &str) -> String {
    format!("{}\t{state}\t{}\n", Escaped(queue), Escaped(binding))
}

/// A name, with what would break the line written as `\t`, `\n`, `\\`.
pub struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in self.0.split_inclusive(['\t', '\n', '\\']) {
            let mut plain = piece.chars();
            match plain.next_back() {
                Some('\t') => write!(f, "{}\\t", plain.as_str())?,
                Some('\n') => write!(f, "{}\\n", plain.as_str())?,
                Some('\\') => write!(f, "{}\\\\", plain.as_str())?,
                _ => f.write_str(piece)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_three_columns_whatever_the_name() {
        let counts = Counts { messages: 7, consumers: 1 };
        assert_eq!(line("jobs", counts), "jobs\t7\t1\n");
        assert_eq!(line("a\tb\\c\nd", counts), "a\\tb\\\\c\\nd\t7\t1\n");
        assert_eq!(line("\t", counts), "\\t\t7\t1\n");
        assert_eq!(deleted("jobs", Some(17)), "jobs\tdeleted\t17\n");
        assert_eq!(deleted("jobs", None), "jobs\tdeleted\t-\n");
        assert_eq!(missing("é\\"), "é\\\\\tmissing\n");
        assert_eq!(purged("a\tb", Some(7)) + &purged("b", None), "a\\tb\t7\nb\t-\n");
        assert_eq!(binding("q", "unbound", "e:a\tb"), "q\tunbound\te:a\\tb\n");
    }
}
