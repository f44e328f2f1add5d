//! Exchanges and bindings as JSON objects, with the member names of RabbitMQ's definitions files
//! (<https://www.rabbitmq.com/docs/definitions>).

use crate::values::argument_value::{short, table};
use lapin::types::{FieldTable, ShortString};
use serde_json::{Map, Value};

/// The members of an object that have not been read yet.
pub struct Parts(Map<String, Value>);

impl Parts {
    /// Parses the object `text`; `None` if it does not start with `{`.
    ///
    /// # Errors
    /// It starts with `{` but is not a JSON object.
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
    /// It is not a string, or it is too long.
    pub fn name(&mut self, part: &str) -> Result<Option<ShortString>, String> {
        match self.0.remove(part) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(short(&text)?)),
            Some(other) => Err(format!("\"{part}\" is {other}, not a text")),
        }
    }

    /// A boolean; `default` if absent.
    ///
    /// # Errors
    /// It is not a boolean.
    pub fn flag(&mut self, part: &str, default: bool) -> Result<bool, String> {
        match self.0.remove(part) {
            None => Ok(default),
            Some(Value::Bool(value)) => Ok(value),
            Some(other) => Err(format!("\"{part}\" is {other}, not true or false")),
        }
    }

    /// The arguments; empty if absent.
    ///
    /// # Errors
    /// They are not an object, or AMQP cannot carry a value.
    pub fn arguments(&mut self) -> Result<FieldTable, String> {
        match self.0.remove("arguments") {
            None => Ok(FieldTable::default()),
            Some(Value::Object(entries)) => table(entries),
            Some(other) => Err(format!("\"arguments\" is {other}, not an object")),
        }
    }

    /// Checks that no member is left.
    ///
    /// # Errors
    /// A member that is not one of `known`.
    pub fn finish(self, known: &str) -> Result<(), String> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(part) => Err(format!("\"{part}\" is not one of {known}")),
        }
    }
}
