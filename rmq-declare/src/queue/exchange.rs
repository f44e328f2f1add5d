//! `--exchange`: an exchange to declare.

use crate::values::argument_value::{json_of_table, long, short};
use crate::values::json_parts::Parts;
use crate::values::shell;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use rmq_common::names;
use serde_json::{Value, json};
use std::str::FromStr;

#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    pub name: ShortString,
    /// `direct`, `fanout`, `topic`, `headers`, or a plugin's.
    pub kind: String,
    /// Whether it survives a restart of the broker.
    pub durable: bool,
    /// Whether it is deleted with the last binding from it.
    pub auto_delete: bool,
    /// Whether only other exchanges may publish to it.
    pub internal: bool,
    /// `alternate-exchange`, and those of plugins.
    pub arguments: FieldTable,
}

impl Exchange {
    /// The value asked for of a property or an argument.
    pub fn asked(&self, argument: &str) -> Option<AMQPValue> {
        match argument {
            "type" => Some(long(&self.kind)),
            "durable" => Some(AMQPValue::Boolean(self.durable)),
            "auto_delete" => Some(AMQPValue::Boolean(self.auto_delete)),
            "internal" => Some(AMQPValue::Boolean(self.internal)),
            argument => self.arguments.inner().get(argument).cloned(),
        }
    }

    /// As in RabbitMQ's definitions files, without the name.
    pub fn json(&self) -> Value {
        json!({
            "type": self.kind,
            "durable": self.durable,
            "auto_delete": self.auto_delete,
            "internal": self.internal,
            "arguments": json_of_table(&self.arguments),
        })
    }
}

/// The types that every broker has.
const TYPES: [&str; 4] = ["direct", "fanout", "topic", "headers"];

/// The name of an exchange to delete, or a JSON object with it.
///
/// # Errors
/// A sentence: no exchange to delete can have it, or it has a type after it.
pub fn name(text: &str) -> Result<ShortString, String> {
    names::not_a_url("the exchange", text).map_err(|failure| failure.to_string())?;
    let name = match Parts::read(text)? {
        Some(mut parts) => {
            let name = parts.name("name")?.unwrap_or_default();
            parts.finish("name")?;
            name
        }
        None => match text.rsplit_once(':') {
            // A value for declaring an exchange; one of that full name is unlikely to exist.
            Some((name, kind)) if TYPES.contains(&kind) => {
                return Err(format!(
                    "'{text}' has a type, which only a declaration takes: use {name}, or, if the \
                     name ends so, {}",
                    json!({ "name": text })
                ));
            }
            _ => short(text)?,
        },
    };
    match name.as_str() {
        "" => {
            Err("the default exchange, which has no name, can be neither deleted nor bound"
                .to_owned())
        }
        name if name.contains(['\n', '\r']) => Err("a name cannot contain a line break".to_owned()),
        _ => Ok(name),
    }
}

/// The same as the value of `--exchange`, which takes the next word even if that is an option.
///
/// # Errors
/// As for [`name`], or it begins with a hyphen.
pub fn name_of_option(text: &str) -> Result<ShortString, String> {
    match text.starts_with('-') {
        true => Err(format!(
            "the name of an exchange has to follow (one that begins with a hyphen is given as {})",
            json!({ "name": text })
        )),
        false => name(text),
    }
}

/// The command that deletes an exchange to which nothing is bound.
pub fn deletion(vhost: &str, name: &str) -> String {
    // What `--exchange` would read as something else.
    let text = match name_of_option(name) {
        Ok(same) if same.as_str() == name => name.to_owned(),
        _ => json!({ "name": name }).to_string(),
    };
    let (vhost, text) = (shell::word(vhost), shell::word(&text));
    format!("rmq-declare -p {vhost} --delete --if-unused --exchange {text}")
}

impl FromStr for Exchange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        names::not_a_url("the exchange", text).map_err(|failure| failure.to_string())?;
        let exchange = match Parts::read(text)? {
            Some(mut parts) => {
                let exchange = Exchange {
                    name: parts.name("name")?.unwrap_or_default(),
                    kind: parts.name("type")?.unwrap_or_default().to_string(),
                    durable: parts.flag("durable", true)?,
                    auto_delete: parts.flag("auto_delete", false)?,
                    internal: parts.flag("internal", false)?,
                    arguments: parts.arguments()?,
                };
                parts.finish("name, type, durable, auto_delete, internal, arguments")?;
                exchange
            }
            None => {
                // Types contain no colon; names do (`App:Orders`).
                let Some((name, kind)) = text.rsplit_once(':') else {
                    return Err(format!("'{text}' is not NAME:TYPE"));
                };
                Exchange {
                    name: short(name)?,
                    kind: kind.to_owned(),
                    durable: true,
                    auto_delete: false,
                    internal: false,
                    arguments: FieldTable::default(),
                }
            }
        };
        if exchange.name.as_str().is_empty() {
            return Err("the default exchange, which has no name, always exists".to_owned());
        }
        if exchange.name.as_str().contains(['\n', '\r']) {
            return Err("a name cannot contain a line break".to_owned());
        }
        match exchange.kind.len() {
            0 => Err(format!("{} has no type: direct, fanout, topic, headers", exchange.name)),
            1..=255 => Ok(exchange),
            _ => Err("the type is too long".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_is_name_and_type_or_json_as_in_definitions() {
        let topic: Exchange = "events:topic".parse().unwrap();
        assert_eq!((topic.name.as_str(), topic.kind.as_str()), ("events", "topic"));
        assert!(topic.durable && !topic.auto_delete && !topic.internal);
        let with_colon: Exchange = "App:Orders:fanout".parse().unwrap();
        assert_eq!(with_colon.name.as_str(), "App:Orders");
        let text = r#"{"name":"a:b","type":"direct","durable":false,"arguments":{"alternate-exchange":"ae"}}"#;
        let full: Exchange = text.parse().unwrap();
        assert_eq!((full.name.as_str(), full.durable), ("a:b", false));
        assert_eq!(full.arguments.inner().get("alternate-exchange"), Some(&long("ae")));
    }

    #[test]
    fn an_exchange_is_deleted_by_its_name_alone() {
        for (text, wanted) in [
            ("events", "events"),
            ("App:Orders", "App:Orders"),
            (r#"{"name":"a:topic"}"#, "a:topic"),
        ] {
            assert_eq!(name(text).unwrap().as_str(), wanted);
        }
        let command = "rmq-declare -p / --delete --if-unused --exchange ";
        assert_eq!(deletion("/", "App:Orders"), format!("{command}App:Orders"));
        assert_eq!(deletion("/", "a:topic"), format!(r#"{command}'{{"name":"a:topic"}}'"#));
        assert_eq!(deletion("/", "{"), format!(r#"{command}'{{"name":"{{"}}'"#));
        assert_eq!(deletion("/", "-e"), format!(r#"{command}'{{"name":"-e"}}'"#));
        assert!(name_of_option("--if-unused").unwrap_err().contains("has to follow"));
        for (text, why) in [
            ("events:topic", "use events, or, if the name ends so, {\"name\":\"events:topic\"}"),
            ("", "default exchange"),
            ("{}", "default exchange"),
            ("a\nb", "line break"),
            (r#"{"name":"e","type":"topic"}"#, "\"type\" is not one of name"),
            ("amqp://u:p@h", "URL"),
        ] {
            let problem = name(text).unwrap_err();
            assert!(problem.contains(why), "{text}: {problem}");
        }
    }

    #[test]
    fn what_is_no_exchange_says_why() {
        let long_name = format!("{}:topic", "x".repeat(256));
        for (text, why) in [
            ("events", "NAME:TYPE"),
            ("events:", "no type"),
            (":topic", "default exchange"),
            (r#"{"name":"e"}"#, "no type"),
            (r#"{"name":"e","type":"topic","durabel":true}"#, "\"durabel\" is not one of"),
            (r#"{"name":"e","type":"topic","durable":1}"#, "not true or false"),
            (r#"{"name":5,"type":"topic"}"#, "not a text"),
            (r#"{"name":"e","type":"topic","arguments":[]}"#, "not an object"),
            ("{oops", "not a JSON object"),
            (&long_name, "256 bytes"),
        ] {
            let problem = text.parse::<Exchange>().unwrap_err();
            assert!(problem.contains(why), "{text}: {problem}");
        }
    }
}
