//! All differences between what exists and what was asked for, the type first.

use crate::queue::exchange::Exchange;
use crate::queue::queue_arguments::{TABLE, TYPE, option_of, spelt};
use crate::values::argument_value::plain;
use lapin::types::{AMQPValue, FieldTable};
use rmq_common::amqp_error::Value;
use rmq_common::declaration::Declaration;

#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The argument, or a property such as `durable`.
    pub argument: String,
    /// The value that exists.
    pub current: Value,
    /// The value asked for; `None` if none was.
    pub asked: Option<AMQPValue>,
}

/// The differences between the queue as it `is` and what was `asked` for.
pub fn of_queue(asked: &Declaration, is: &Declaration) -> Vec<Difference> {
    let properties = [TYPE, "durable", "auto_delete"].map(str::to_owned);
    let known = TABLE.iter().map(|row| row.key.to_owned());
    let names = properties.into_iter().chain(known);
    let others = names_of([&asked.arguments, &is.arguments]);
    differences(names.chain(others), |it| asked.asked(it), |it| is.asked(it))
}

/// The differences between the exchange as it `is` and what was `asked` for.
pub fn of_exchange(asked: &Exchange, is: &Exchange) -> Vec<Difference> {
    let properties = ["type", "durable", "auto_delete", "internal"].map(str::to_owned);
    let others = names_of([&asked.arguments, &is.arguments]);
    differences(properties.into_iter().chain(others), |it| asked.asked(it), |it| is.asked(it))
}

fn names_of(tables: [&FieldTable; 2]) -> impl Iterator<Item = String> {
    tables.into_iter().flat_map(|table| table.into_iter().map(|(name, _)| name.to_string()))
}

fn differences(
    names: impl Iterator<Item = String>,
    asked: impl Fn(&str) -> Option<AMQPValue>,
    is: impl Fn(&str) -> Option<AMQPValue>,
) -> Vec<Difference> {
    let mut differences: Vec<Difference> = Vec::new();
    for argument in names {
        let (asked, is) = (asked(&argument), is(&argument));
        if asked != is && differences.iter().all(|known| known.argument != argument) {
            let current = is.map_or(Value::None, |value| Value::Is(plain(&value)));
            differences.push(Difference { argument, current, asked });
        }
    }
    differences
}

impl Difference {
    /// `with --max-length (x-max-length) 10, 5 was asked for`; without the option if `is_of_queue`
    /// is false.
    pub fn sentence(&self, is_of_queue: bool) -> String {
        let argument = self.argument.as_str();
        let name = match option_of(argument).filter(|_| is_of_queue) {
            Some(option) => format!("{option} ({argument})"),
            None => argument.to_owned(),
        };
        let exists = match &self.current {
            // 3.10 says "none" for a queue that was declared without a type.
            Value::None if argument == TYPE => format!("with {name} classic"),
            Value::None => format!("without {name}"),
            Value::Is(value) => format!("with {name} {}", shown(&spelt(argument, value))),
            Value::CutOff => format!("with another {name}"),
        };
        let asked = self.asked.as_ref().map(plain);
        let asked = asked.map_or("none".to_owned(), |asked| shown(&spelt(argument, &asked)));
        format!("{exists}, {asked} was asked for")
    }
}

/// `it exists with ...; with ...`.
pub fn sentence(differences: &[Difference], is_of_queue: bool) -> String {
    let each: Vec<String> = differences.iter().map(|it| it.sentence(is_of_queue)).collect();
    format!("it exists {}", each.join("; "))
}

/// A text as part of a sentence.
fn shown(text: &str) -> String {
    match text {
        "" => "''".to_owned(),
        text => text.escape_debug().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::argument_value::{long, short};

    fn declaration(arguments: &[(&str, AMQPValue)], durable: bool) -> Declaration {
        let mut table = FieldTable::default();
        for (key, value) in arguments {
            table.insert(short(key).unwrap(), value.clone());
        }
        Declaration { durable, auto_delete: false, arguments: table }
    }

    #[test]
    fn all_differences_are_found_and_the_type_comes_first() {
        let asked = declaration(
            &[(TYPE, long("quorum")), ("x-max-length", AMQPValue::LongLongInt(5))],
            true,
        );
        let is = declaration(
            &[
                ("x-message-ttl", AMQPValue::LongLongInt(60_000)),
                ("x-max-priority", AMQPValue::LongLongInt(10)),
                ("a-plugin", long("")),
            ],
            false,
        );
        assert_eq!(
            sentence(&of_queue(&asked, &is), true),
            "it exists with --type (x-queue-type) classic, quorum was asked for; with durable \
             false, true was asked for; without --max-length (x-max-length), 5 was asked for; with \
             --message-ttl (x-message-ttl) 1m, none was asked for; with --max-priority \
             (x-max-priority) 10, none was asked for; with a-plugin '', none was asked for"
        );
        assert!(of_queue(&asked, &asked).is_empty());
    }

    #[test]
    fn an_exchange_is_compared_in_the_same_way() {
        let asked: Exchange = "e:topic".parse().unwrap();
        let text = r#"{"name":"e","type":"direct","durable":false,"arguments":{"alternate-exchange":"x"}}"#;
        let is: Exchange = text.parse().unwrap();
        assert_eq!(
            sentence(&of_exchange(&asked, &is), false),
            "it exists with type direct, topic was asked for; with durable false, true was asked \
             for; with alternate-exchange x, none was asked for"
        );
    }
}
