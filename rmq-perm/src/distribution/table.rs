//! Converts AMQP tables, as RabbitMQ stores them in Erlang terms, to JSON.

use crate::term::Term;
use serde_json::{Map, Number, Value};

/// The table `[{Key, Type, Value}, ...]` as a JSON object. Values without a JSON form are null.
pub fn json(table: &Term) -> Value {
    let fields =
        table.list().unwrap_or_default().iter().filter_map(|field| match field.tuple()? {
            [key, kind, content] => Some((text(key), value(kind, content))),
            _ => None,
        });
    Value::Object(fields.collect::<Map<_, _>>())
}

fn value(kind: &Term, content: &Term) -> Value {
    match content {
        Term::Binary(_) => Value::String(text(content)),
        Term::Integer(number) => i64::try_from(*number)
            .map(Number::from)
            .or_else(|_| u64::try_from(*number).map(Number::from))
            .map_or(Value::Null, Value::Number),
        Term::Float(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
        Term::Atom(atom) if atom == "true" || atom == "false" => Value::Bool(atom == "true"),
        Term::List(_) if kind.is_atom("table") => json(content),
        Term::List(elements) if kind.is_atom("array") => {
            let elements = elements.iter().map(|element| match element.tuple() {
                Some([kind, content]) => value(kind, content),
                _ => Value::Null,
            });
            Value::Array(elements.collect())
        }
        _ => Value::Null,
    }
}

fn text(term: &Term) -> String {
    String::from_utf8_lossy(&term.text().unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(key: &str, kind: &str, value: Term) -> Term {
        Term::Tuple(vec![Term::Binary(key.into()), Term::Atom(kind.to_owned()), value])
    }

    #[test]
    fn a_table_becomes_an_object_and_what_json_lacks_becomes_null() {
        let element = |kind: &str, value| Term::Tuple(vec![Term::Atom(kind.to_owned()), value]);
        let array =
            vec![element("longstr", Term::Binary(b"a".to_vec())), element("void", Term::Opaque)];
        let table = Term::List(vec![
            field("b", "bool", Term::Atom("true".to_owned())),
            field("l", "long", Term::Integer(-5)),
            field("f", "double", Term::Float(1.5)),
            field("n", "double", Term::Float(f64::NAN)),
            field("t", "table", Term::List(vec![field("k", "timestamp", Term::Integer(1 << 63))])),
            field("a", "array", Term::List(array)),
        ]);
        let wanted =
            r#"{"a":["a",null],"b":true,"f":1.5,"l":-5,"n":null,"t":{"k":9223372036854775808}}"#;
        assert_eq!(json(&table).to_string(), wanted);
        assert_eq!(json(&Term::Opaque).to_string(), "{}");
    }
}
