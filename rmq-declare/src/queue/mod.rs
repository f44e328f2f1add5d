//! A queue to declare: its name and its description.

pub mod binding;
pub mod dead_letters;
pub mod exchange;
pub mod misspelt;
pub mod queue_arguments;
pub mod queue_type;
pub mod shape;
pub mod warnings;

use crate::queue::shape::Shape;
use lapin::types::ShortString;
use rmq_common::failure::Failure;
use rmq_common::names;

#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    pub name: ShortString,
    pub shape: Shape,
}

/// A name as an AMQP string.
///
/// # Errors
/// A name that no queue can have (65), or a URL (64).
pub fn name(text: &str) -> Result<ShortString, Failure> {
    names::not_a_url("the queue's name", text)?;
    names::not_reply_to(text)?;
    let problem = |why: &str| {
        // A name that is too long need not be shown in full.
        let shown: String = text.chars().take(60).collect();
        let more = if shown.len() < text.len() { "..." } else { "" };
        Failure::data(format!("queue '{}{more}': {why}", shown.escape_debug()))
    };
    if text.is_empty() {
        return Err(problem("the name is empty"));
    }
    if text.contains(['\n', '\r']) {
        // RabbitMQ would remove them and use the queue with the remaining name.
        return Err(problem("a name cannot contain a line break"));
    }
    ShortString::try_new(text)
        .map_err(|_| problem(&format!("the name has {} bytes; AMQP allows 255", text.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_no_queue_can_have_is_refused_before_the_broker_changes_it() {
        for text in ["", "a\nb", "a\r", &"q".repeat(256)] {
            assert_eq!(name(text).unwrap_err().exit().status(), 65, "{text:?}");
        }
        for text in ["q", "a\tb", " ", "é", &"q".repeat(255)] {
            assert_eq!(name(text).unwrap().as_str(), text);
        }
    }
}
