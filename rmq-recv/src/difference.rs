//! What a queue has, read from the broker's refusal to declare it otherwise (406).
//!
//! AMQP has no method that shows a queue's arguments, but the refusal names the first one that
//! differs, with its value.

use lapin::types::{AMQPValue, FieldTable, ShortString};

/// Sets an argument; a name that is too long is left out.
pub fn set(arguments: &mut FieldTable, name: &str, value: AMQPValue) {
    if let Ok(name) = ShortString::try_new(name) {
        arguments.insert(name, value);
    }
}

/// A long string.
pub fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

/// The argument that differs, and what the queue has: `inequivalent arg 'x-expires' for queue 'q'
/// in vhost '/': received none but current is the value '5' of type 'signedint'`.
pub fn difference(said: &str) -> Option<(&str, Option<&str>)> {
    let (argument, rest) = said.strip_prefix("inequivalent arg '")?.split_once('\'')?;
    let (_, current) = rest.rsplit_once(" but current is ")?;
    let current = current.strip_prefix("the value ").unwrap_or(current);
    let current = current.strip_prefix('\'').map(|quoted| {
        let end = quoted.find("' of type '").unwrap_or(quoted.len());
        quoted[..end].trim_end_matches('\'')
    });
    Some((argument, current))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_the_queue_has_is_read_from_the_refusal() {
        let start = "inequivalent arg 'x-a' for queue 'q' in vhost '/': ";
        for (values, wanted) in [
            ("received none but current is the value '10' of type 'signedint'", Some("10")),
            ("received the value 'x' of type 'longstr' but current is none", None),
            ("received 'true' but current is 'false'", Some("false")),
            ("received 'x' but current is ''", Some("")),
        ] {
            let said = format!("{start}{values}");
            assert_eq!(difference(&said), Some(("x-a", wanted)), "{values}");
        }
        assert_eq!(difference("no queue 'q'"), None);
    }

    proptest! {
        #[test]
        fn a_sentence_of_any_kind_breaks_nothing(
            text in "(inequivalent arg '|' for queue '|' but current is |the value |\
                     ' of type '|'|\\PC){0,12}",
        ) {
            let _ = difference(&text);
        }
    }
}
