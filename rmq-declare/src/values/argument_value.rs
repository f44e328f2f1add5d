//! Arguments of queues, exchanges and bindings as text: JSON, and `--arg KEY=VALUE`.

use lapin::types::{AMQPValue, FieldArray, FieldTable, LongString, ShortString};
use serde_json::{Map, Number, Value};
use std::str::FromStr;

#[derive(Clone, Debug, PartialEq)]
pub struct Extra {
    pub key: ShortString,
    pub value: AMQPValue,
}

impl FromStr for Extra {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            None | Some(("", _)) => Err(format!("'{text}' is not KEY=VALUE")),
            Some((key, value)) => Ok(Extra { key: short(key)?, value: read(value)? }),
        }
    }
}

/// Reads JSON; what is not JSON is a string as it stands.
fn read(text: &str) -> Result<AMQPValue, String> {
    match serde_json::from_str(text) {
        Ok(value) => from_json(value),
        // A string does not begin like this, so it is a mistake rather than a string.
        Err(error) if text.starts_with(['{', '[', '"']) => {
            Err(format!("{text} is not JSON: {error}"))
        }
        Err(_) => Ok(long(text)),
    }
}

fn from_json(value: Value) -> Result<AMQPValue, String> {
    Ok(match value {
        Value::Null => AMQPValue::Void,
        Value::Bool(value) => AMQPValue::Boolean(value),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => AMQPValue::LongLongInt(integer),
            (None, Some(float)) if !number.is_u64() => AMQPValue::Double(float),
            _ => return Err(format!("{number} does not fit into 64 bits")),
        },
        Value::String(text) => long(&text),
        Value::Array(values) => {
            let values = values.into_iter().map(from_json).collect::<Result<Vec<_>, _>>()?;
            AMQPValue::FieldArray(FieldArray::from(values))
        }
        Value::Object(entries) => AMQPValue::FieldTable(table(entries)?),
    })
}

/// The members of a JSON object as a table.
///
/// # Errors
/// A name over 255 bytes, or a number over 64 bits.
pub fn table(entries: Map<String, Value>) -> Result<FieldTable, String> {
    let mut table = FieldTable::default();
    for (key, value) in entries {
        table.insert(short(&key)?, from_json(value)?);
    }
    Ok(table)
}

/// A table as a JSON object, sorted by name.
pub fn json_of_table(table: &FieldTable) -> Value {
    Value::Object(table.into_iter().map(|(key, value)| (key.to_string(), json(value))).collect())
}

/// A value as JSON. Only the AMQP types that [`Extra`] makes are distinguished.
pub fn json(value: &AMQPValue) -> Value {
    match value {
        AMQPValue::Boolean(value) => Value::Bool(*value),
        AMQPValue::LongLongInt(number) => Value::Number((*number).into()),
        AMQPValue::Double(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
        AMQPValue::LongString(text) => Value::String(text.to_string()),
        AMQPValue::FieldArray(values) => values.as_slice().iter().map(json).collect(),
        AMQPValue::FieldTable(table) => json_of_table(table),
        _ => Value::Null,
    }
}

/// A value as a person writes it: a string bare, everything else as JSON.
pub fn plain(value: &AMQPValue) -> String {
    match value {
        AMQPValue::LongString(text) => text.to_string(),
        other => json(other).to_string(),
    }
}

/// An argument as `--arg` takes it.
pub fn extra(key: &str, value: &AMQPValue) -> String {
    let plain = plain(value);
    match read(&plain) {
        Ok(read) if read == *value => format!("{key}={plain}"),
        _ => format!("{key}={}", json(value)),
    }
}

/// A string as an argument's value.
pub fn long(text: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(text.as_bytes()))
}

/// A string as a name.
///
/// # Errors
/// More than 255 bytes.
pub fn short(text: &str) -> Result<ShortString, String> {
    ShortString::try_new(text)
        .map_err(|_| format!("the name has {} bytes; AMQP allows 255", text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> AMQPValue {
        format!("k={text}").parse::<Extra>().unwrap().value
    }

    #[test]
    fn a_value_is_typed_as_json_and_a_bare_word_is_a_text() {
        assert_eq!(value("5"), AMQPValue::LongLongInt(5));
        assert_eq!(value("-1"), AMQPValue::LongLongInt(-1));
        assert_eq!(value("true"), AMQPValue::Boolean(true));
        assert_eq!(value("1.5"), AMQPValue::Double(1.5));
        assert_eq!(value("null"), AMQPValue::Void);
        assert_eq!(value("\"5\""), long("5"));
        assert_eq!(value("lazy"), long("lazy"));
        assert_eq!(value("7D"), long("7D"));
        assert_eq!(value("a=b"), long("a=b"));
        assert_eq!(value(""), long(""));
        let list = FieldArray::from(vec![AMQPValue::LongLongInt(1), long("x")]);
        assert_eq!(value("[1,\"x\"]"), AMQPValue::FieldArray(list));
    }

    #[test]
    fn an_argument_is_written_as_it_is_read() {
        for text in ["5", "\"5\"", "lazy", "true", "\"true\"", "[1,\"x\"]", "\"{\"", ""] {
            let extra = extra("k", &value(text));
            assert_eq!(extra.parse::<Extra>().unwrap().value, value(text), "{text}: {extra}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let long_name = "k".repeat(256) + "=1";
        for text in ["x", "=5", "k={a", "k=[1", "k=\"x", "k=18446744073709551615", &long_name] {
            assert!(text.parse::<Extra>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_value_is_shown_as_the_json_it_was_read_from() {
        for text in ["5", "-1", "true", "1.5", "null", "\"a\"", "[1,\"x\"]", "{\"a\":{\"b\":[]}}"] {
            assert_eq!(json(&value(text)).to_string(), text);
        }
        assert_eq!(plain(&value("lazy")), "lazy");
        assert_eq!(plain(&value("7")), "7");
    }
}
