//! Arguments of a declaration that is to be refused.

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
