//! Reading the broker's sentence when a queue or an exchange is there with other arguments (406).
//!
//! The sentences are the same on 3.10.8, 4.0.5 and 4.3.6, for every argument; only of an untyped
//! queue 3.10 says that its `x-queue-type` is none, and later releases that it is classic; and 4.3
//! tells a stream's `x-max-age` in milliseconds. A reply
//! text is a short string, so the broker cuts it at 255 bytes and ends it with `...`: behind a long
//! queue name some or all of the values are missing.

/// A complaint about one argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// The queue is there, with another value of it.
    Inequivalent {
        /// The argument: `x-max-length`, or a property: `durable`.
        argument: String,
        /// What the queue has.
        current: Value,
    },
    /// No such queue can be, with this argument.
    Invalid {
        /// The argument.
        argument: String,
        /// The broker's reason, as it stands.
        why: String,
    },
}

/// A value as the broker writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// This one.
    Is(String),
    /// None was given.
    None,
    /// The sentence was cut off before it.
    CutOff,
}

/// Reads the sentence about the `kind` (`queue` or `exchange`) called `name` in `vhost`; `None`
/// where it is another one.
pub fn read(text: &str, kind: &str, name: &str, vhost: &str) -> Option<Complaint> {
    let begins = format!("' for {kind} '");
    if let Some(rest) = text.strip_prefix("inequivalent arg '") {
        let (argument, rest) = rest.split_once(&begins)?;
        // The names may hold any text, the broker's own phrases too; but they are known.
        let values = rest.strip_prefix(&format!("{name}' in vhost '{vhost}': ")).unwrap_or("");
        return Some(Complaint::Inequivalent {
            argument: argument.to_owned(),
            current: current(values),
        });
    }
    let (argument, rest) = text.strip_prefix("invalid arg '")?.split_once(&begins)?;
    let why = rest.strip_prefix(&format!("{name}' in vhost '{vhost}'")).unwrap_or("");
    let why = why.trim_start_matches([':', ' ']);
    Some(Complaint::Invalid { argument: argument.to_owned(), why: why.to_owned() })
}

/// `received '5' but current is '10'`, `received none but current is the value '10' of type
/// 'signedint'`, `received the value '5' of type 'signedint' but current is none`.
fn current(values: &str) -> Value {
    // From the end: the value before it is ours, and may hold the very phrase.
    let Some((_, current)) = values.rsplit_once(" but current is ") else {
        return Value::CutOff;
    };
    if current == "none" {
        return Value::None;
    }
    let quoted = current.strip_prefix("the value ").unwrap_or(current);
    let Some(quoted) = quoted.strip_prefix('\'') else {
        return Value::CutOff;
    };
    let value = match (quoted.rsplit_once("' of type '"), quoted.strip_suffix('\'')) {
        (Some((value, _)), _) | (None, Some(value)) => value,
        (None, None) => quoted,
    };
    Value::Is(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn current_of(values: &str) -> (String, Value) {
        let (argument, values) = values.split_once(' ').unwrap();
        let text = format!("inequivalent arg '{argument}' for queue 't' in vhost '/': {values}");
        match read(&text, "queue", "t", "/") {
            Some(Complaint::Inequivalent { argument, current }) => (argument, current),
            other => panic!("{text}: {other:?}"),
        }
    }

    /// As 3.10.8, 4.0.5 and 4.3.6 write them.
    #[test]
    fn the_brokers_sentences_tell_the_argument_and_what_the_queue_has() {
        let is = |text: &str| Value::Is(text.to_owned());
        let table = [
            ("x-max-length received '11' but current is '10'", is("10")),
            ("x-delivery-limit received '7' but current is '-1'", is("-1")),
            ("x-overflow received 'reject-publish' but current is 'drop-head'", is("drop-head")),
            (
                "x-message-ttl received none but current is the value '60000' of type 'signedint'",
                is("60000"),
            ),
            (
                "x-expires received the value '600000' of type 'signedint' but current is none",
                Value::None,
            ),
            ("x-single-active-consumer received 'false' but current is 'true'", is("true")),
            (
                "x-queue-type received the value 'quorum' of type 'longstr' but current is none",
                Value::None,
            ),
            ("x-queue-type received 'quorum' but current is 'classic'", is("classic")),
            ("durable received 'true' but current is 'false'", is("false")),
            (
                "x-dead-letter-exchange received '' but current is 'x' but current is 'it's'",
                is("it's"),
            ),
            (
                "x-dead-letter-exchange received none but current is the value '' of type 'longstr'",
                is(""),
            ),
        ];
        for (sentence, wanted) in table {
            let (argument, current) = current_of(sentence);
            assert_eq!(argument, sentence.split(' ').next().unwrap());
            assert_eq!(current, wanted, "{sentence}");
        }
    }

    #[test]
    fn a_sentence_that_the_broker_cut_off_still_tells_the_argument() {
        let name = "q".repeat(250);
        let text = format!("inequivalent arg 'x-max-length' for queue '{}...", &name[..150]);
        let wanted =
            Complaint::Inequivalent { argument: "x-max-length".to_owned(), current: Value::CutOff };
        assert_eq!(read(&text, "queue", &name, "/"), Some(wanted));
        assert_eq!(current("received 'a' but curr..."), Value::CutOff);
        assert_eq!(current("received 'a' but current is 'lon..."), Value::Is("lon...".to_owned()));
    }

    #[test]
    fn an_argument_that_cannot_be_is_told_with_the_brokers_reason() {
        let table = [
            (
                "invalid arg 'x-max-length' for queue 't' in vhost '/': {value_negative,-1}",
                "{value_negative,-1}",
            ),
            (
                "invalid arg 'x-max-priority' for queue 't' in vhost '/' of queue type rabbit_quorum_queue",
                "of queue type rabbit_quorum_queue",
            ),
        ];
        for (text, wanted) in table {
            match read(text, "queue", "t", "/") {
                Some(Complaint::Invalid { why, .. }) => assert_eq!(why, wanted),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn an_exchange_is_told_apart_from_a_queue() {
        let text = "inequivalent arg 'type' for exchange 't' in vhost '/': received 'topic' but \
                    current is 'direct'";
        let wanted = Complaint::Inequivalent {
            argument: "type".to_owned(),
            current: Value::Is("direct".to_owned()),
        };
        assert_eq!(read(text, "exchange", "t", "/"), Some(wanted));
        assert_eq!(read(text, "queue", "t", "/"), None);
    }

    #[test]
    fn other_sentences_are_left_alone() {
        assert_eq!(read("Cannot declare a server-named queue", "queue", "t", "/"), None);
        assert_eq!(read("", "queue", "", ""), None);
    }

    proptest! {
        /// Names may hold the broker's own phrases, and a reply text is cut at 255 bytes.
        #[test]
        fn a_sentence_is_read_whatever_the_names_are_and_wherever_it_is_cut_off(
            name in "(' in vhost '|' for queue '|: |but current is |\\PC){1,6}",
            vhost in "('|: received |\\PC){1,5}",
            value in "[a-z0-9]{1,9}", end in 0usize..300,
        ) {
            let text = format!(
                "inequivalent arg 'x-a' for queue '{name}' in vhost '{vhost}': received none but \
                 current is the value '{value}' of type 'longstr'"
            );
            let argument = "x-a".to_owned();
            let current = Value::Is(value);
            let whole = Some(Complaint::Inequivalent { argument, current });
            prop_assert_eq!(read(&text, "queue", &name, &vhost), whole);
            let cut: String = text.chars().take(end).collect();
            let _ = read(&(cut + "..."), "queue", &name, &vhost);
        }
    }
}
