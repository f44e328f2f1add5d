//! `-H name=value` and `-H name:type=value`: a header and its AMQP type.

use crate::record::unsupported;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rmq_common::message::{Encoded, Name, Value};
use rmq_common::{envelope, escape, timestamp};

/// Reads one header.
///
/// # Errors
/// What is wrong with it, and what one looks like.
pub fn parse(text: &[u8]) -> Result<(Name, Encoded), String> {
    let problem = |why: String| format!("-H {}: {why}", escape::escape(text, escape::is_control));
    let Some(equals) = memchr::memchr(b'=', text) else {
        return Err(problem("no '=' in it; write name=value or name:type=value".to_owned()));
    };
    let (name, value) = (&text[..equals], &text[equals + 1..]);
    let (name, kind) = match memchr::memrchr(b':', name) {
        Some(colon) => (&name[..colon], &name[colon + 1..]),
        None => (name, &b"string"[..]),
    };
    if name.is_empty() {
        return Err(problem("the header's name is empty".to_owned()));
    }
    let name = Name::new(name).map_err(|why| problem(format!("the header's name {why}")))?;
    if kind == b"string" {
        return Ok((name, Value::String(value).into()));
    }
    let [kind, value] = [kind, value].map(|bytes| std::str::from_utf8(bytes).map_err(|_| bytes));
    let not_text = |bytes| {
        let shown = escape::escape(bytes, escape::is_control);
        problem(format!("'{shown}' is not UTF-8 (only the value of a string may be any bytes)"))
    };
    let value = typed(kind.map_err(not_text)?, value.map_err(not_text)?).map_err(problem)?;
    unsupported::value(value.value()).map_err(|why| problem(why.to_owned()))?;
    Ok((name, value))
}

fn typed(kind: &str, value: &str) -> Result<Encoded, String> {
    let not = |what: &str| format!("'{value}' is not {what}");
    match kind {
        "int" => match value.parse() {
            Ok(number) => Ok(Value::Int64(number).into()),
            Err(_) => Err(not("a whole number of 64 bits")),
        },
        "bool" => match value {
            "true" | "false" => Ok(Value::Boolean(u8::from(value == "true")).into()),
            _ => Err(not("true or false")),
        },
        "float" => match value.parse::<f64>() {
            Ok(number) => Ok(Value::Double(number.to_bits()).into()),
            Err(_) => Err(not("a number")),
        },
        "bytes" => match BASE64_STANDARD.decode(value) {
            Ok(bytes) => Ok(Value::Bytes(&bytes).into()),
            Err(_) => Err(not("base64")),
        },
        "timestamp" => match value.parse().ok().or_else(|| timestamp::parse(value)) {
            Some(seconds) => Ok(Value::Timestamp(seconds).into()),
            None => Err(not("seconds since 1970 or a time like 2026-11-22T10:00:00Z")),
        },
        "json" => envelope::header_value(value).map_err(|bad| bad.to_string()),
        kind => Err(format!(
            "unknown type '{kind}' (string, int, bool, float, bytes, timestamp or json)"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(bytes: &[u8]) -> Name {
        Name::new(bytes).unwrap()
    }

    #[test]
    fn a_header_is_a_string_unless_its_type_is_given() {
        let table: [(&[u8], &[u8], Value<'_>); 10] = [
            (b"a=1", b"a", Value::String(b"1")),
            (b"a\xff=\xfe", b"a\xff", Value::String(b"\xfe")),
            (b"a:int=-1", b"a", Value::Int64(-1)),
            (b"a:b:string=x=y", b"a:b", Value::String(b"x=y")),
            (b"a:bool=true", b"a", Value::Boolean(1)),
            (b"a:float=1", b"a", Value::Double(1_f64.to_bits())),
            (b"a:bytes=AP8=", b"a", Value::Bytes(&[0, 255])),
            (b"a:timestamp=5", b"a", Value::Timestamp(5)),
            (b"a:timestamp=2026-11-22T10:00:00Z", b"a", Value::Timestamp(1_795_341_600)),
            (b"a:json=null", b"a", Value::Void),
        ];
        for (text, wanted, value) in table {
            assert_eq!(parse(text).unwrap(), (name(wanted), value.into()));
        }
    }

    #[test]
    fn what_is_no_header_is_refused_with_the_reason() {
        let table = [
            ("a", "-H a: no '=' in it; write name=value or name:type=value"),
            ("=b", "-H =b: the header's name is empty"),
            ("a:int=x", "-H a:int=x: 'x' is not a whole number of 64 bits"),
            ("a:bool=1", "-H a:bool=1: '1' is not true or false"),
            (
                "a:float=nan",
                "-H a:float=nan: a float that is NaN or infinite, which RabbitMQ cannot carry",
            ),
            (
                "a:json=[{\"b\":{\"$float\":\"ff800000\"}}]",
                "-H a:json=[{\"b\":{\"$float\":\"ff800000\"}}]: a float that is NaN or infinite, which \
                 RabbitMQ cannot carry",
            ),
            ("a:bytes=?", "-H a:bytes=?: '?' is not base64"),
            (
                "a:timestamp=noon",
                "-H a:timestamp=noon: 'noon' is not seconds since 1970 or a time \
              like 2026-11-22T10:00:00Z",
            ),
            (
                "x:y=1",
                "-H x:y=1: unknown type 'y' (string, int, bool, float, bytes, timestamp or \
              json)",
            ),
        ];
        for (text, problem) in table {
            assert_eq!(parse(text.as_bytes()).unwrap_err(), problem, "{text}");
        }
        let problem =
            "-H a:int=\\xff: '\\xff' is not UTF-8 (only the value of a string may be any bytes)";
        assert_eq!(parse(b"a:int=\xff").unwrap_err(), problem);
        assert!(
            parse(format!("{}=1", "n".repeat(256)).as_bytes()).unwrap_err().contains("256 bytes")
        );
    }

    proptest! {
        #[test]
        fn any_text_is_a_header_or_refused(
            text in "\\PC{0,6}(:(int|bool|float|timestamp|json|table|bytes|decimal|[a-z]{0,8}))?\
                     =(-?[0-9]{0,22}|true|\\[+|(\\{\"a\":)+|\\PC{0,20})",
        ) {
            if let Ok((name, _)) = parse(text.as_bytes()) {
                prop_assert!(text.as_bytes().starts_with(name.as_bytes()));
            }
        }
    }
}
