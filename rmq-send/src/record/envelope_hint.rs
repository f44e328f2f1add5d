//! What to do about a line that is not an envelope but looks like other JSON.

use serde_json::Value;

const NO_ENVELOPE: &str =
    r#" (an envelope is {"body":"text"}, see rmq(7); to send each line as it is: --format lines)"#;
const NOT_ONE_LINE: &str = " (one object a line: jq -c)";

/// The hint, in parentheses after a blank; empty if there is none.
pub fn of(line: &[u8]) -> &'static str {
    match serde_json::from_slice(line) {
        Ok(Value::Object(members)) => {
            let has_body = members.contains_key("body") || members.contains_key("body_base64");
            if has_body { "" } else { NO_ENVELOPE }
        }
        Ok(_) => NO_ENVELOPE,
        Err(error) if error.is_eof() && !line.trim_ascii().is_empty() => NOT_ONE_LINE,
        // A line from the middle of an object that is spread over several lines.
        Err(_) if line.starts_with(b"  ") || matches!(line.trim_ascii(), b"}" | b"}," | b"]") => {
            NOT_ONE_LINE
        }
        Err(_) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_of_another_kind_is_told_what_an_envelope_is() {
        let table = [
            (r#"{"order":1}"#, NO_ENVELOPE),
            (r#"{"id":7,"type":"order"}"#, NO_ENVELOPE),
            (r#"{"id":"u-1","type":"order"}"#, NO_ENVELOPE),
            ("[1,2]", NO_ENVELOPE),
            ("\"text\"", NO_ENVELOPE),
            ("{}", NO_ENVELOPE),
            (r#"{"body":1}"#, ""),
            (r#"{"body":"b","order":1}"#, ""),
            ("{", NOT_ONE_LINE),
            ("[", NOT_ONE_LINE),
            (r#"{"body":"#, NOT_ONE_LINE),
            (r#"  "body": "b","#, NOT_ONE_LINE),
            ("}", NOT_ONE_LINE),
            ("", ""),
            ("no json", ""),
        ];
        for (line, hint) in table {
            assert_eq!(of(line.as_bytes()), hint, "{line}");
        }
    }
}
