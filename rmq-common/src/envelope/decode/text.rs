//! Parses JSON strings.

use super::malformed::Malformed;
use crate::envelope::plain;
use std::borrow::Cow;

/// Parses the string whose opening quote follows `start` bytes of `line`: the string, borrowed if
/// nothing is escaped, and the number of bytes up to its end.
pub(super) fn read(line: &str, start: usize) -> Result<(Cow<'_, str>, usize), Malformed> {
    let mut unescaped = String::new();
    let mut from = start + 1;
    loop {
        let rest = line.as_bytes().get(from..).unwrap_or_default();
        let end = from + plain::length(rest);
        let run = line.get(from..end).unwrap_or_default();
        match line.as_bytes().get(end) {
            Some(b'"') if from == start + 1 => return Ok((Cow::Borrowed(run), end + 1)),
            Some(b'"') => return Ok((Cow::Owned(unescaped + run), end + 1)),
            Some(b'\\') => (),
            Some(control) => {
                let problem =
                    format!("a control character; in a string write it as \\u{control:04x}");
                return Err(Malformed::at(end, problem));
            }
            None => return Err(Malformed::at(start, "a string that has no end")),
        }
        unescaped.push_str(run);
        let (letter, length) = escape(line, end)?;
        unescaped.push(letter);
        from = end + length;
    }
}

/// The character of the escape that follows `start` bytes, and the escape's length.
fn escape(line: &str, start: usize) -> Result<(char, usize), Malformed> {
    let letter = match line.as_bytes().get(start + 1) {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode(line, start),
        _ => {
            let problem =
                r#"an escape that JSON does not have; it has \" \\ \/ \b \f \n \r \t \uXXXX"#;
            return Err(Malformed::at(start, problem));
        }
    };
    Ok((letter, 2))
}

/// `\uXXXX`, or two of them for a surrogate pair.
fn unicode(line: &str, start: usize) -> Result<(char, usize), Malformed> {
    let unit = |at: usize| {
        let digits = line.as_bytes().get(at..at + 6)?.strip_prefix(b"\\u")?;
        digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
    };
    let first = unit(start)
        .ok_or_else(|| Malformed::at(start, "\\u not followed by four hexadecimal digits"))?;
    if let Some(letter) = char::from_u32(first) {
        return Ok((letter, 6));
    }
    let pair = match (first, unit(start + 6)) {
        (0xd800..=0xdbff, Some(second @ 0xdc00..=0xdfff)) => {
            char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
        }
        _ => None,
    };
    let letter =
        pair.ok_or_else(|| Malformed::at(start, "half of a surrogate pair is not a character"))?;
    Ok((letter, 12))
}
