//! An array of objects, one on each line.

use super::{Listing, Value};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The listing as JSON, with replacement characters for bytes that are not UTF-8, which no client
/// sends.
pub fn json(listing: &Listing) -> String {
    let object = |row: &Vec<Value>| {
        let pairs = listing.columns.iter().zip(row);
        let pairs: BTreeMap<_, _> = pairs.map(|(column, value)| (column.name, of(value))).collect();
        let pairs = pairs.iter().map(|(name, value)| format!("\"{name}\":{value}"));
        format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
    };
    let objects: Vec<String> = listing.rows.iter().map(object).collect();
    format!("[{}]\n", objects.join(",\n "))
}

fn of(value: &Value) -> String {
    let text = |text: &[u8]| Json::String(String::from_utf8_lossy(text).into_owned());
    match value {
        Value::Text(value) => text(value).to_string(),
        Value::Texts(values) => {
            Json::Array(values.iter().map(|value| text(value)).collect()).to_string()
        }
        Value::Number(number) => number.to_string(),
        Value::Json(json) => json.clone(),
        Value::Unknown => "null".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::example;

    #[test]
    fn an_object_for_each_row_has_every_column_with_its_type() {
        let wanted = r#"[{"messages":12345678901,"name":"a\"\t","tags":["a","b,c"],"vhost":"/"},
 {"messages":null,"name":"größer","tags":[],"vhost":"/"},
 {"messages":0,"name":"","tags":{"x":1},"vhost":"/"}]
"#;
        assert_eq!(json(&example()), wanted);
        assert_eq!(json(&Listing::new([])), "[]\n");
    }
}
