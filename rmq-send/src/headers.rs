//! `-H name=value` and `-H name:type=value`: a header and its AMQP type.

use crate::carried;
use crate::properties::short;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use lapin::types::{AMQPValue, ShortString};
use rmq_common::{envelope, timestamp};

/// Reads one header.
///
/// # Errors
/// What is wrong with it, and what one looks like.
pub fn parse(text: &str) -> Result<(ShortString, AMQPValue), String> {
    let problem = |why: String| format!("-H {text}: {why}");
    let Some((name, value)) = text.split_once('=') else {
        return Err(problem("no '=' in it; write name=value or name:type=value".to_owned()));
    };
    let (name, kind) = name.rsplit_once(':').unwrap_or((name, "string"));
    if name.is_empty() {
        return Err(problem("the header's name is empty".to_owned()));
    }
    let name = short("the header's name", name).map_err(|failure| problem(failure.to_string()))?;
    let value = typed(kind, value).map_err(problem)?;
    carried::value(&value).map_err(|why| problem(why.to_owned()))?;
    Ok((name, value))
}

fn typed(kind: &str, value: &str) -> Result<AMQPValue, String> {
    let not = |what: &str| format!("'{value}' is not {what}");
    match kind {
        "string" => Ok(AMQPValue::LongString(value.into())),
        "int" => match value.parse() {
            Ok(number) => Ok(AMQPValue::LongLongInt(number)),
            Err(_) => Err(not("a whole number of 64 bits")),
        },
        "bool" => match value {
            "true" => Ok(AMQPValue::Boolean(true)),
            "false" => Ok(AMQPValue::Boolean(false)),
            _ => Err(not("true or false")),
        },
        "float" => match value.parse() {
            Ok(number) => Ok(AMQPValue::Double(number)),
            Err(_) => Err(not("a number")),
        },
        "bytes" => match BASE64_STANDARD.decode(value) {
            Ok(bytes) => Ok(AMQPValue::ByteArray(bytes.into())),
            Err(_) => Err(not("base64")),
        },
        "timestamp" => match value.parse().ok().or_else(|| timestamp::parse(value)) {
            Some(seconds) => Ok(AMQPValue::Timestamp(seconds)),
            None => Err(not("seconds since 1970 or a time like 2026-11-22T10:00:00Z")),
        },
        "json" => envelope::header_value(value).map_err(|bad| bad.to_string()),
        kind => Err(format!(
            "no type '{kind}'; there are string, int, bool, float, bytes, timestamp, json"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> (String, AMQPValue) {
        let (name, value) = parse(text).unwrap();
        (name.to_string(), value)
    }

    #[test]
    fn a_header_is_a_string_unless_its_type_is_given() {
        let table = [
            ("a=1", "a", AMQPValue::LongString("1".into())),
            ("a:int=-1", "a", AMQPValue::LongLongInt(-1)),
            ("a:b:string=x=y", "a:b", AMQPValue::LongString("x=y".into())),
            ("a:bool=true", "a", AMQPValue::Boolean(true)),
            ("a:float=1", "a", AMQPValue::Double(1.0)),
            ("a:bytes=AP8=", "a", AMQPValue::ByteArray(vec![0, 255].into())),
            ("a:timestamp=5", "a", AMQPValue::Timestamp(5)),
            ("a:timestamp=2026-11-22T10:00:00Z", "a", AMQPValue::Timestamp(1_795_341_600)),
            ("a:json=null", "a", AMQPValue::Void),
        ];
        for (text, name, value) in table {
            assert_eq!(parsed(text), (name.to_owned(), value), "{text}");
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
                "-H a:float=nan: a float that is NaN or infinite, which RabbitMQ does not carry",
            ),
            (
                "a:json=[{\"b\":{\"$float\":\"ff800000\"}}]",
                "-H a:json=[{\"b\":{\"$float\":\"ff800000\"}}]: a float that is NaN or infinite, which \
                 RabbitMQ does not carry",
            ),
            ("a:bytes=?", "-H a:bytes=?: '?' is not base64"),
            (
                "a:timestamp=noon",
                "-H a:timestamp=noon: 'noon' is not seconds since 1970 or a time \
              like 2026-11-22T10:00:00Z",
            ),
            (
                "x:y=1",
                "-H x:y=1: no type 'y'; there are string, int, bool, float, bytes, \
              timestamp, json",
            ),
        ];
        for (text, problem) in table {
            assert_eq!(parse(text).unwrap_err(), problem, "{text}");
        }
        assert!(parse(&format!("{}=1", "n".repeat(256))).unwrap_err().contains("256 bytes"));
    }

    proptest! {
        #[test]
        fn any_text_is_a_header_or_refused(
            text in "\\PC{0,6}(:(int|bool|float|timestamp|json|table|bytes|decimal|[a-z]{0,8}))?\
                     =(-?[0-9]{0,22}|true|\\[+|(\\{\"a\":)+|\\PC{0,20})",
        ) {
            if let Ok((name, _)) = parse(&text) {
                prop_assert!(text.starts_with(name.as_str()));
            }
        }
    }
}
