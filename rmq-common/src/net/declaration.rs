//! A declaration of an existing queue, reconstructed from the broker's refusals.
//!
//! AMQP has no method that shows a queue's arguments. But a declaration that does not match is
//! refused, and the refusal names one argument with its value; so that value is adopted and the
//! declaration repeated. Each can only be confirmed or refused, unless the queue is deleted in the
//! meantime.

use crate::net::amqp_error::{Refusal, Value};
use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable, ShortString};

/// A stream's age, which has units.
const MAX_AGE: &str = "x-max-age";
/// Units of ages, largest first, in seconds.
const AGES: [(&str, u64); 4] = [("D", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// A declaration as sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// Whether it survives a restart of the broker.
    pub durable: bool,
    /// Whether it is deleted with its last consumer.
    pub auto_delete: bool,
    /// Its arguments.
    pub arguments: FieldTable,
}

impl Declaration {
    /// The properties in lapin's form.
    pub fn options(&self) -> QueueDeclareOptions {
        QueueDeclareOptions {
            durable: self.durable,
            auto_delete: self.auto_delete,
            ..QueueDeclareOptions::default()
        }
    }

    /// The value asked for of an argument or a property.
    pub fn asked(&self, argument: &str) -> Option<AMQPValue> {
        match argument {
            "durable" => Some(AMQPValue::Boolean(self.durable)),
            "auto_delete" => Some(AMQPValue::Boolean(self.auto_delete)),
            "exclusive" => Some(AMQPValue::Boolean(false)),
            argument => self.arguments.inner().get(argument).cloned(),
        }
    }

    /// Gives `argument` the broker's value; returns whether that could help.
    pub fn take_over(&mut self, argument: &str, value: Value) -> bool {
        match (argument, value) {
            (argument, Value::None) => return remove(&mut self.arguments, argument),
            ("durable", Value::Is(value)) => self.durable = value == "true",
            ("auto_delete", Value::Is(value)) => self.auto_delete = value == "true",
            // Only another connection could own such a queue, and that refusal has other words.
            ("exclusive", _) | (_, Value::CutOff) => return false,
            (argument, Value::Is(value)) => {
                return set_as_said(&mut self.arguments, argument, &value);
            }
        }
        true
    }
}

/// The argument that a refusal to declare the queue or exchange `name` of `vhost` is about, and its
/// existing value: none if its type has no such argument. `None` if the refusal is about something
/// else.
pub fn corrected(refusal: Refusal, name: &str, vhost: &str) -> Option<(String, Value)> {
    match refusal {
        Refusal::Inequivalent(said) => {
            let value = said.current(name, vhost);
            Some((said.argument, value))
        }
        Refusal::Invalid(said) if said.why(name, vhost).is_none() => {
            Some((said.argument, Value::None))
        }
        _ => None,
    }
}

/// Sets an argument; returns whether its name is short enough.
pub fn set(arguments: &mut FieldTable, name: &str, value: AMQPValue) -> bool {
    let Ok(name) = ShortString::try_new(name) else { return false };
    arguments.insert(name, value);
    true
}

/// A text as a value.
pub fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

/// Gives `argument` the broker's value; returns whether that could help.
pub fn set_as_said(arguments: &mut FieldTable, argument: &str, value: &str) -> bool {
    let long = match argument {
        MAX_AGE => text(&age(value)),
        _ => text(value),
    };
    let typed = match (value.parse(), value) {
        _ if argument == MAX_AGE => long.clone(),
        (Ok(number), _) => AMQPValue::LongLongInt(number),
        (_, "true") => AMQPValue::Boolean(true),
        (_, "false") => AMQPValue::Boolean(false),
        _ => long.clone(),
    };
    // A value that was refused once would be refused again: then the other type is right, or
    // nothing can be learnt.
    let value = match arguments.inner().get(argument) {
        Some(known) if *known == long => return false,
        Some(known) if *known == typed => long,
        _ => typed,
    };
    set(arguments, argument, value)
}

/// Returns whether the argument was present.
pub fn remove(arguments: &mut FieldTable, argument: &str) -> bool {
    if !arguments.contains_key(argument) {
        return false;
    }
    let kept: Vec<_> = arguments
        .into_iter()
        .filter(|(key, _)| key.as_str() != argument)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    *arguments = FieldTable::default();
    for (key, value) in kept {
        arguments.insert(key, value);
    }
    true
}

/// A stream's age as it was declared. 4.3 reports ages in milliseconds, earlier releases as
/// declared.
pub fn age(text: &str) -> String {
    let seconds =
        text.parse::<u64>().ok().filter(|it| it.is_multiple_of(1_000)).map(|it| it / 1_000);
    let unit = |seconds: u64| AGES.iter().find(|(_, length)| seconds.is_multiple_of(*length));
    match seconds.and_then(|seconds| Some((seconds, unit(seconds)?))) {
        Some((seconds, (name, length))) => format!("{}{name}", seconds / length),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(value: &str) -> Value {
        Value::Is(value.to_owned())
    }

    fn empty() -> Declaration {
        Declaration { durable: true, auto_delete: false, arguments: FieldTable::default() }
    }

    #[test]
    fn each_complaint_mends_one_thing() {
        let mut declaration = empty();
        for (argument, value, wanted) in [
            ("x-max-length", "10", AMQPValue::LongLongInt(10)),
            ("x-single-active-consumer", "true", AMQPValue::Boolean(true)),
            ("x-overflow", "drop-head", text("drop-head")),
            ("x-max-age", "604800000", text("7D")),
            ("x-dead-letter-exchange", "", text("")),
        ] {
            assert!(declaration.take_over(argument, is(value)));
            assert_eq!(declaration.asked(argument), Some(wanted));
        }
        assert!(declaration.take_over("durable", is("false")) && !declaration.durable);
        assert!(declaration.take_over("x-max-length", Value::None));
        assert_eq!(declaration.asked("x-max-length"), None);
        assert!(
            !declaration.take_over("x-max-length", Value::None),
            "it would go round in a circle"
        );
    }

    #[test]
    fn a_number_that_is_a_text_is_learnt_in_the_second_round() {
        let mut declaration = empty();
        assert!(declaration.take_over("x-dead-letter-routing-key", is("5")));
        assert!(declaration.take_over("x-dead-letter-routing-key", is("5")));
        assert_eq!(declaration.asked("x-dead-letter-routing-key"), Some(text("5")));
        assert!(!declaration.take_over("x-dead-letter-routing-key", is("5")));
    }

    #[test]
    fn what_the_broker_cut_off_is_not_learnt() {
        assert!(!empty().take_over("x-max-length", Value::CutOff));
    }
}
