//! JSON from an untrusted peer: not only its size is bounded, but also the memory it takes. An
//! object of a few bytes takes some seven hundred in memory, so 60 MB could become 5 GB.

use crate::queues::DEEPEST;
use serde_json::Value;
use std::borrow::Cow;

/// The most memory an answer may take, in bytes: about two hundred thousand queues or
/// permissions.
const MOST: usize = 256 << 20;

/// The memory of a value, and of an object's first entry with its B-tree node.
const VALUE: usize = 64;
const OBJECT: usize = 640;

/// A value that is nested more deeply than this, which exceeds a queue's arguments in a listing,
/// becomes `...`; serde_json reads at most 128 levels.
const CUT: usize = DEEPEST + 8;

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    TooLarge,
    NotJson,
}

/// # Errors
/// It is too large, or it is not JSON.
pub fn parse(bytes: &[u8]) -> Result<Value, Unfit> {
    let (bytes, takes) = shallow(bytes);
    if takes > MOST {
        return Err(Unfit::TooLarge);
    }
    serde_json::from_slice(&bytes).map_err(|_| Unfit::NotJson)
}

/// The same text with `"..."` in place of what is nested too deeply, and an estimate of the memory
/// it would take. Nothing is validated here.
fn shallow(bytes: &[u8]) -> (Cow<'_, [u8]>, usize) {
    let (mut depth, mut takes) = (0usize, bytes.len());
    let (mut in_string, mut escaped) = (false, false);
    let mut kept: Option<Vec<u8>> = None;
    for (at, &byte) in bytes.iter().enumerate() {
        let was_deep = depth > CUT;
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else {
            match byte {
                b'"' => in_string = true,
                b'{' | b'[' => {
                    depth += 1;
                    takes += if byte == b'{' { OBJECT } else { VALUE };
                }
                b'}' | b']' => depth = depth.saturating_sub(1),
                b',' => takes += VALUE,
                _ => {}
            }
        }
        if depth > CUT && !was_deep {
            kept.get_or_insert_with(|| bytes.get(..at).unwrap_or_default().to_vec())
                .extend(b"\"...\"");
        } else if !was_deep && let Some(kept) = &mut kept {
            kept.push(byte);
        }
    }
    (kept.map_or(Cow::Borrowed(bytes), Cow::Owned), takes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn small_objects_by_the_million_are_too_large() {
        let many = format!("[{}]", vec![r#"{"a":1}"#; 1 << 20].join(","));
        assert_eq!(parse(many.as_bytes()), Err(Unfit::TooLarge));
        let many = format!("[{}]", vec![r#"[[]]"#; 4 << 20].join(","));
        assert_eq!(parse(many.as_bytes()), Err(Unfit::TooLarge));
        assert_eq!(parse(b"<html>"), Err(Unfit::NotJson));
        assert_eq!(parse(b""), Err(Unfit::NotJson));
    }

    #[test]
    fn what_is_nested_too_deep_is_cut_and_all_else_is_there() {
        for depth in [CUT - 2, CUT, 125, 100_000] {
            let text = format!("[{}\"]{{\"{},7]", "[".repeat(depth), "]".repeat(depth));
            let value = parse(text.as_bytes()).unwrap();
            assert_eq!(value[1], json!(7), "{depth}");
            let text = value.to_string();
            assert_eq!(text.contains("..."), depth >= CUT, "{depth}");
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,8}|[\"\\\\{}\\[\\],]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 64, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[a\"\\\\{}]{0,4}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_small_is_read_as_it_is(value in values()) {
            prop_assert_eq!(parse(value.to_string().as_bytes()), Ok(value));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(
            prop_oneof![Just(b'['), Just(b'{'), Just(b'"'), Just(b'\\'), any::<u8>()], 0..300,
        )) {
            let _ = parse(&bytes);
        }
    }
}
