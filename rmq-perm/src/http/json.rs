//! Parsing the API's answers.

use crate::administration::Text;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use serde_json::Value;

/// Reads each element of a list; an unexpected one makes the whole answer unusable.
pub fn each<T>(answer: &Value, read: impl Fn(&Value) -> Option<T>) -> Result<Vec<T>, Failure> {
    let elements = answer.as_array().and_then(|elements| elements.iter().map(read).collect());
    elements.ok_or_else(|| broken("unexpected answer".to_owned()))
}

/// A text in an object.
pub fn text(object: &Value, key: &str) -> Option<Text> {
    object.get(key)?.as_str().map(|text| text.as_bytes().to_vec())
}

/// The tags of a user: a list or, in older releases, one text with commas.
pub fn tags(user: &Value) -> Option<Vec<Text>> {
    let text = |tag: &Value| tag.as_str().map(|tag| tag.as_bytes().to_vec());
    match user.get("tags")? {
        Value::Array(tags) => tags.iter().map(text).collect(),
        Value::String(tags) => {
            let tags = tags.split(',').filter(|tag| !tag.is_empty());
            Some(tags.map(|tag| tag.as_bytes().to_vec()).collect())
        }
        _ => None,
    }
}

/// The error about a broker that behaves unlike all known versions (70).
pub fn broken(what: String) -> Failure {
    Failure::new(Exit::Software, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tags_are_a_list_or_a_text_with_commas() {
        let wanted = Some(vec![b"a".to_vec(), b"b".to_vec()]);
        assert_eq!(tags(&json!({"tags": ["a", "b"]})), wanted);
        assert_eq!(tags(&json!({"tags": "a,b"})), wanted);
        assert_eq!(tags(&json!({"tags": ""})), Some(vec![]));
        assert_eq!(tags(&json!({"tags": [1]})), None);
        assert_eq!(tags(&json!({})), None);
    }

    #[test]
    fn an_unexpected_element_makes_the_whole_answer_unusable() {
        let name = |value: &Value| text(value, "name");
        assert_eq!(each(&json!([{"name": "a"}]), name).unwrap(), [b"a"]);
        for answer in [json!([{"name": "a"}, {"name": 1}]), json!({}), Value::Null] {
            assert_eq!(each(&answer, name).unwrap_err().exit().status(), 70);
        }
    }
}
