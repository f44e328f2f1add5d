//! Exchanges and bindings written as JSON objects, with the names that RabbitMQ's own definitions
//! files use for their parts (<https://www.rabbitmq.com/docs/definitions>).

use crate::values::argument_value::{short, table};
use lapin::types::{FieldTable, ShortString};
use serde_json::{Map, Value};

/// The parts of an object that have not been taken yet.
pub struct Parts(Map<String, Value>);

impl Parts {
    /// The object that `text` is; `None` where it does not begin like one.
    ///
    /// # Errors
    /// It begins like one and is none.
    pub fn read(text: &str) -> Result<Option<Self>, String> {
        if !text.starts_with('{') {
            return Ok(None);
        }
        match serde_json::from_str(text) {
            Ok(entries) => Ok(Some(Parts(entries))),
            Err(error) => Err(format!("{text} is not a JSON object: {error}")),
        }
    }

    /// A name.
    ///
    /// # Errors
    /// It is no text, or too long.
    pub fn name(&mut self, part: &str) -> Result<Option<ShortString>, String> {
        match self.0.remove(part) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(short(&text)?)),
            Some(other) => Err(format!("\"{part}\" is {other}, not a text")),
        }
    }

    /// Yes or no; `default` where it is not there.
    ///
    /// # Errors
    /// It is neither.
    pub fn flag(&mut self, part: &str, default: bool) -> Result<bool, String> {
        match self.0.remove(part) {
            None => Ok(default),
            Some(Value::Bool(value)) => Ok(value),
            Some(other) => Err(format!("\"{part}\" is {other}, not true or false")),
        }
    }

    /// The arguments; none where they are not there.
    ///
    /// # Errors
    /// They are no object, or one holds what AMQP does not carry.
    pub fn arguments(&mut self) -> Result<FieldTable, String> {
        match self.0.remove("arguments") {
            None => Ok(FieldTable::default()),
            Some(Value::Object(entries)) => table(entries),
            Some(other) => Err(format!("\"arguments\" is {other}, not an object")),
        }
    }

    /// Whether that was all.
    ///
    /// # Errors
    /// A part that means nothing here; `known` are those that do.
    pub fn finish(self, known: &str) -> Result<(), String> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(part) => Err(format!("\"{part}\" is not one of {known}")),
        }
    }
}
