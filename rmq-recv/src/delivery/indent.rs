//! JSON on several lines, with its members and numbers exactly as they are.

use serde_json::Value;

/// The longest text that is reformatted; nothing longer is read line by line.
const LONGEST: usize = 64 << 10;

/// An object or an array on several lines; `None` for what is not one.
pub fn indented(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    let is_one = matches!(text.first(), Some(b'{' | b'['));
    if !is_one || text.len() > LONGEST || serde_json::from_slice::<Value>(text).is_err() {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() * 2);
    let mut depth = 0usize;
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {
                out.push(byte);
                while let Some(inside) = bytes.next() {
                    out.push(inside);
                    match inside {
                        b'\\' => out.extend(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            b'{' | b'[' => {
                while bytes.next_if(u8::is_ascii_whitespace).is_some() {}
                out.push(byte);
                if let Some(end) = bytes.next_if(|next| matches!(next, b'}' | b']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                new_line(&mut out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            byte if byte.is_ascii_whitespace() => {}
            byte => out.push(byte),
        }
    }
    Some(out)
}

fn new_line(out: &mut Vec<u8>, depth: usize) {
    out.push(b'\n');
    out.extend(std::iter::repeat_n(b' ', depth * 2));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn members_keep_their_order_and_numbers_their_digits() {
        let text = b" {\"b\": 1.50,\"a\":[ ],\"c\" : {\"\\\"x,\":[1e3 , {}]}}\n";
        let wanted = "{\n  \"b\": 1.50,\n  \"a\": [],\n  \"c\": {\n    \"\\\"x,\": [\n      1e3,\n      {}\n    ]\n  }\n}";
        assert_eq!(String::from_utf8(indented(text).unwrap()).unwrap(), wanted);
    }

    #[test]
    fn what_is_no_object_and_no_array_stays() {
        for text in [&b"12"[..], b"\"x\"", b"{", b"[1,]", b"", b"{}x", &[b'['; 100_000]] {
            assert_eq!(indented(text), None);
        }
    }

    proptest! {
        #[test]
        fn the_same_value_is_read_again(text in "[\\[{\"a:,\\\\1\\]} ]{0,20}", array: Vec<String>) {
            for text in [text, serde_json::to_string(&array).unwrap()] {
                if let Some(out) = indented(text.as_bytes()) {
                    let read = |text: &[u8]| serde_json::from_slice::<Value>(text).unwrap();
                    prop_assert_eq!(read(&out), read(text.as_bytes()));
                }
            }
        }
    }
}
