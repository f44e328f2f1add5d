//! `--bind`: a binding from an exchange to the queue.

use crate::values::argument_value::{json_of_table, short};
use crate::values::json_parts::Parts;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use rmq_common::names;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    pub source: ShortString,
    /// The routing key, or a pattern for a topic exchange.
    pub key: ShortString,
    /// What a headers exchange or a plugin's compares instead.
    pub arguments: FieldTable,
}

impl Binding {
    /// As in RabbitMQ's definitions files, without the destination.
    pub fn json(&self) -> Value {
        json!({
            "source": self.source.as_str(),
            "routing_key": self.key.as_str(),
            "arguments": json_of_table(&self.arguments),
        })
    }

    /// The same binding with integers of 32 bits, as most clients write those that fit; `None` if
    /// there are none. RabbitMQ tells integers of different sizes apart.
    pub fn with_short_integers(&self) -> Option<Self> {
        let shorter = |value: &AMQPValue| match value {
            AMQPValue::LongLongInt(number) => i32::try_from(*number).ok().map(AMQPValue::LongInt),
            _ => None,
        };
        let arguments = self.arguments.inner();
        arguments.values().find_map(shorter)?;
        let arguments = arguments
            .iter()
            .map(|(name, value)| (name.clone(), shorter(value).unwrap_or_else(|| value.clone())));
        let arguments = arguments.collect::<BTreeMap<_, _>>().into();
        Some(Binding { arguments, ..self.clone() })
    }

    /// As after `--bind`: as JSON if the short form would omit something.
    pub fn text(&self) -> String {
        match self.arguments.inner().is_empty() && !self.source.as_str().contains(':') {
            true => self.to_string(),
            false => self.json().to_string(),
        }
    }
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key.as_str() {
            "" => write!(f, "{}", self.source),
            key => write!(f, "{}:{key}", self.source),
        }
    }
}

impl FromStr for Binding {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        names::not_a_url("the binding", text).map_err(|failure| failure.to_string())?;
        let binding = match Parts::read(text)? {
            Some(mut parts) => {
                let binding = Binding {
                    source: parts.name("source")?.unwrap_or_default(),
                    key: parts.name("routing_key")?.unwrap_or_default(),
                    arguments: parts.arguments()?,
                };
                parts.finish("source, routing_key, arguments")?;
                binding
            }
            None => {
                // Keys contain colons as often as names of exchanges do; JSON is unambiguous.
                let (source, key) = text.split_once(':').unwrap_or((text, ""));
                Binding {
                    source: short(source)?,
                    key: short(key)?,
                    arguments: FieldTable::default(),
                }
            }
        };
        if binding.source.as_str().is_empty() {
            return Err(
                "the default exchange, which has no name, binds every queue by its own name"
                    .to_owned(),
            );
        }
        Ok(binding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_is_exchange_and_key_or_json_as_in_definitions() {
        let parts = |text: &str| {
            let binding: Binding = text.parse().unwrap();
            (binding.source.to_string(), binding.key.to_string())
        };
        assert_eq!(parts("events"), ("events".to_owned(), String::new()));
        assert_eq!(parts("events:order.#"), ("events".to_owned(), "order.#".to_owned()));
        assert_eq!(parts("events:a:b"), ("events".to_owned(), "a:b".to_owned()));
        let text = r#"{"source":"App:Orders","routing_key":"k"}"#;
        assert_eq!(parts(text), ("App:Orders".to_owned(), "k".to_owned()));
        let text = r#"{"source":"h","arguments":{"x-match":"all","n":5}}"#;
        let headers: Binding = text.parse().unwrap();
        assert_eq!(headers.arguments.inner().get("n"), Some(&AMQPValue::LongLongInt(5)));
    }

    #[test]
    fn integers_that_fit_have_a_form_of_32_bits() {
        let short = |text: &str| text.parse::<Binding>().unwrap().with_short_integers();
        let binding = short(r#"{"source":"h","arguments":{"a":5,"b":5000000000,"c":"5"}}"#);
        let arguments = binding.unwrap().arguments;
        let value = |name| arguments.inner().get(name).cloned();
        assert_eq!(value("a"), Some(AMQPValue::LongInt(5)));
        assert_eq!(value("b"), Some(AMQPValue::LongLongInt(5_000_000_000)));
        assert_eq!(value("c"), Some(AMQPValue::LongString("5".into())));
        assert_eq!(short(r#"{"source":"h","arguments":{"b":5000000000,"c":"5"}}"#), None);
        assert_eq!(short("e:k"), None);
    }

    #[test]
    fn the_text_of_a_binding_is_that_binding() {
        for text in [
            "events",
            "events:order.#",
            r#"{"source":"App:Orders","routing_key":"k"}"#,
            r#"{"source":"h","arguments":{"x-match":"all","n":5}}"#,
        ] {
            let binding: Binding = text.parse().unwrap();
            assert_eq!(binding.text().parse::<Binding>().unwrap(), binding, "{text}");
        }
    }

    #[test]
    fn what_is_no_binding_says_why() {
        for (text, why) in [
            ("", "default exchange"),
            (":key", "default exchange"),
            (r#"{"routing_key":"k"}"#, "default exchange"),
            (r#"{"source":"e","key":"k"}"#, "\"key\" is not one of"),
        ] {
            let problem = text.parse::<Binding>().unwrap_err();
            assert!(problem.contains(why), "{text}: {problem}");
        }
    }
}
