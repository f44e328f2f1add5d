//! Examples of JSON and its meaning.

use super::*;
use crate::envelope::message::{Name, Properties};
use std::borrow::Cow;

#[test]
fn every_member_has_its_place() {
    let mut properties = Properties::of_headers(Some(Table::default()));
    properties.timestamp = Some(u64::MAX);
    for (text, value) in [
        (Text::ContentType, "text/plain"),
        (Text::ContentEncoding, "gzip"),
        (Text::CorrelationId, "c"),
        (Text::ReplyTo, "r"),
        (Text::Expiration, "60000"),
        (Text::MessageId, "m"),
        (Text::Type, "t"),
        (Text::UserId, "u"),
        (Text::AppId, "a"),
        (Text::ClusterId, "k"),
    ] {
        properties.set(text, short(value));
    }
    properties.set_octet(Octet::DeliveryMode, 2);
    properties.set_octet(Octet::Priority, 9);
    let envelope = Envelope {
        id: Some("1-7".into()),
        more: true,
        exchange: Some(short("")),
        routing_key: Some(short("jobs")),
        redelivered: true,
        delivery_count: Some(3),
        no_delivery_mode: false,
        properties,
        body: Some(b"Hello \"World\"!\n\x7f\0\xc3\xa4"[..].into()),
    };
    let line = r#"{"id":"1-7","more":true,"exchange":"","routing_key":"jobs","redelivered":true,"#
        .to_owned()
        + r#""delivery_count":3,"content_type":"text/plain","content_encoding":"gzip","#
        + r#""headers":{},"delivery_mode":2,"priority":9,"correlation_id":"c","reply_to":"r","#
        + r#""expiration":"60000","message_id":"m","timestamp":18446744073709551615,"type":"t","#
        + r#""user_id":"u","app_id":"a","cluster_id":"k","#
        + "\"body\":\"Hello \\\"World\\\"!\\n\x7f\\u0000ä\"}";
    assert_eq!(String::from_utf8(encoded(&envelope)).unwrap(), line);
    assert_eq!(Envelope::decode(line.as_bytes()), Ok(envelope));
}

#[test]
fn an_envelope_can_be_written_by_hand() {
    let body = |line: &'static str| Envelope::decode(line.as_bytes()).unwrap().body;
    assert_eq!(body(r#"{"body":"..."}"#).as_deref(), Some(&b"..."[..]));
    assert_eq!(
        body(" { \"body\" :\t\"\\u00e4\\ud83d\\ude00\\/\" } \r").unwrap(),
        "ä😀/".as_bytes()
    );
    assert_eq!(body(r#"{"body_base64":"AP8="}"#).as_deref(), Some(&b"\x00\xff"[..]));
    assert_eq!(body(r#"{"body_base64":"\/\/8="}"#).as_deref(), Some(&b"\xff\xff"[..]));
    assert_eq!(body(r#"{"body":""}"#).as_deref(), Some(&b""[..]));
    assert_eq!(body(r#"{"id":"1-7"}"#), None);
    assert_eq!(Envelope::decode(b"{}"), Ok(Envelope::default()));
    let escaped = Envelope::decode(br#"{"\u0062ody":"x","more":false,"redelivered":false}"#);
    assert_eq!(escaped.unwrap(), Envelope { body: Some(b"x"[..].into()), ..Envelope::default() });
}

#[test]
fn a_body_without_escapes_is_not_copied() {
    let body = |line: &'static str| Envelope::decode(line.as_bytes()).unwrap().body.unwrap();
    assert!(matches!(body(r#"{"body":"größer"}"#), Cow::Borrowed(_)));
    assert!(matches!(body(r#"{"body":"a\nb"}"#), Cow::Owned(_)));
}

#[test]
fn no_delivery_mode_is_more_than_none_told() {
    let line = br#"{"delivery_mode":null,"body":"x"}"#;
    let envelope = Envelope::decode(line).unwrap();
    assert!(envelope.no_delivery_mode && envelope.properties.octet(Octet::DeliveryMode).is_none());
    assert_eq!(encoded(&envelope), line);
    assert!(!Envelope::decode(br#"{"body":"x"}"#).unwrap().no_delivery_mode);
}

#[test]
fn every_type_has_its_json() {
    let double = |double: f64| Encoded::from(Value::Double(double.to_bits()));
    let float = |float: f32| Encoded::from(Value::Float(float.to_bits()));
    let types: [(Encoded, &str); 38] = [
        (Value::Boolean(1).into(), "true"),
        (Value::Boolean(0).into(), "false"),
        (Value::Boolean(2).into(), r#"{"$boolean":2}"#),
        (Value::Void.into(), "null"),
        (Value::Int64(i64::MIN).into(), "-9223372036854775808"),
        (Value::Int64(i64::MAX).into(), "9223372036854775807"),
        (Value::Long(i64::MIN).into(), r#"{"$int64":-9223372036854775808}"#),
        (double(1.0), "1.0"),
        (double(-0.0), "-0.0"),
        (double(1e300), "1e300"),
        (double(0.1), "0.1"),
        (double(5e-324), "5e-324"),
        (Value::Double(0x7ff8_0000_0000_0000).into(), r#"{"$double":"7ff8000000000000"}"#),
        (double(f64::NEG_INFINITY), r#"{"$double":"fff0000000000000"}"#),
        (float(0.1), r#"{"$float":0.1}"#),
        (float(f32::MAX), r#"{"$float":3.4028235e38}"#),
        (Value::Float(0x7fc0_0001).into(), r#"{"$float":"7fc00001"}"#),
        (Value::String("a\"ä".as_bytes()).into(), r#""a\"ä""#),
        (Value::String(b"\xff").into(), r#"{"$string_base64":"/w=="}"#),
        (Value::Int8(-128).into(), r#"{"$int8":-128}"#),
        (Value::Uint8(255).into(), r#"{"$uint8":255}"#),
        (Value::Int16(-32768).into(), r#"{"$int16":-32768}"#),
        (Value::Uint16(65535).into(), r#"{"$uint16":65535}"#),
        (Value::Int32(i32::MIN).into(), r#"{"$int32":-2147483648}"#),
        (Value::Uint32(u32::MAX).into(), r#"{"$uint32":4294967295}"#),
        (Value::Decimal { scale: 2, value: 314 }.into(), r#"{"$decimal":{"scale":2,"value":314}}"#),
        (Value::Timestamp(u64::MAX).into(), r#"{"$timestamp":18446744073709551615}"#),
        (Value::Bytes(&[0, 255]).into(), r#"{"$bytes":"AP8="}"#),
        (array(&[]), "[]"),
        (
            array(&[Value::Void, array(&[Value::String(b"a")]).value(), table(&[]).value()]),
            r#"[null,["a"],{}]"#,
        ),
        (
            table(&[
                (b"b", array(&[]).value()),
                (b"a", table(&[(b"c", Value::String(b""))]).value()),
            ]),
            r#"{"b":[],"a":{"c":""}}"#,
        ),
        (table(&[(b"$int8", Value::String(b"no"))]), r#"{"$table":{"$int8":"no"}}"#),
        (
            table(&[
                (b"$table", table(&[(b"$table", table(&[]).value())]).value()),
                (b"a", Value::Void),
            ]),
            r#"{"$table":{"$table":{"$table":{"$table":{}}},"a":null}}"#,
        ),
        (
            table(&[(b"a", Value::Void), (b"a", Value::Boolean(1))]),
            r#"{"$table":[["a",null],["a",true]]}"#,
        ),
        (table(&[(b"\xff", table(&[]).value())]), r#"{"$table":[[{"$string_base64":"/w=="},{}]]}"#),
        (
            table(&[(b"\xff", array(&[Value::Void]).value()), (b"", Value::Void)]),
            r#"{"$table":[[{"$string_base64":"/w=="},[null]],["",null]]}"#,
        ),
        (
            array(&[table(&[(b"", Value::Void), (b"", table(&[(b"\xfe", Value::Void)]).value())])
                .value()]),
            r#"[{"$table":[["",null],["",{"$table":[[{"$string_base64":"/g=="},null]]}]]}]"#,
        ),
        (table(&[]), "{}"),
    ];
    for (value, text) in types {
        assert_eq!(json(&value), text);
        assert_eq!(header_value(text), Ok(value), "{text}");
    }
}

fn array(values: &[Value<'_>]) -> Encoded {
    made(|builder| {
        builder.begin_array();
        values.iter().for_each(|value| builder.value(*value));
        builder.end();
    })
}

fn table(fields: &[(&[u8], Value<'_>)]) -> Encoded {
    Value::Table(headers(fields).fields()).into()
}

#[test]
fn names_that_are_not_text_and_headers_that_an_object_cannot_have_have_a_form() {
    let line = r#"{"exchange":"x","routing_key":{"$string_base64":"a/8="},"#.to_owned()
        + r#""headers":[["b",1],[{"$string_base64":"/w=="},"v"],["b",{"$int8":2}]],"#
        + r#""type":{"$string_base64":"/w=="},"body":""}"#;
    let envelope = Envelope::decode(line.as_bytes()).unwrap();
    assert_eq!(envelope.routing_key.as_ref().map(Name::as_bytes), Some(&b"k\xff"[..]));
    assert_eq!(envelope.properties.get(Text::Type).map(Name::as_bytes), Some(&b"\xff"[..]));
    let wanted =
        headers(&[(b"b", Value::Int64(1)), (b"\xff", Value::String(b"v")), (b"b", Value::Int8(2))]);
    assert_eq!(envelope.properties.headers, Some(wanted));
    assert_eq!(String::from_utf8(encoded(&envelope)).unwrap(), line);
    // Either form may be written by hand.
    let by_hand = Envelope::decode(
        br#"{"routing_key":{"$string_base64":"aw=="},"headers":[["b",1],["a",2]]}"#,
    );
    let read = br#"{"routing_key":"k","headers":{"b":1,"a":2}}"#;
    assert_eq!(encoded(&by_hand.unwrap()), read);
    let none = Envelope::decode(br#"{"headers":[]}"#).unwrap();
    assert_eq!(encoded(&none), br#"{"headers":{}}"#);
}

#[test]
fn a_value_may_be_written_in_other_ways() {
    let double = |double: f64| Encoded::from(Value::Double(double.to_bits()));
    let other = [
        ("-0", double(-0.0)),
        ("1E2", double(100.0)),
        (r#" { "$double" : 1 } "#, double(1.0)),
        (r#"{"$double":"3FF0000000000000"}"#, double(1.0)),
        (r#"{"$float":-0}"#, Value::Float((-0.0_f32).to_bits()).into()),
        (r#"{"$float":"3f800000"}"#, Value::Float(1.0_f32.to_bits()).into()),
        (r#"{"$string_base64":"YQ=="}"#, Value::String(b"a").into()),
        (r#"{"$table":{"a":1}}"#, table(&[(b"a", Value::Int64(1))])),
        (r#"{"$table":[ [ "a" , 1 ] ]}"#, table(&[(b"a", Value::Int64(1))])),
        (r#"{"$table":{}}"#, table(&[])),
        (r#"{"$table":[]}"#, table(&[])),
        (r#"{"\u0024int8":1}"#, Value::Int8(1).into()),
        (r#"{"$boolean":1}"#, Value::Boolean(1).into()),
        (r#"{"$decimal":{"value":1,"scale":0}}"#, Value::Decimal { scale: 0, value: 1 }.into()),
    ];
    for (text, value) in other {
        assert_eq!(header_value(text), Ok(value), "{text}");
    }
}

#[test]
fn the_names_of_headers_themselves_may_begin_with_a_dollar() {
    let line = br#"{"headers":{"$int8":"no","$x":1}}"#;
    let envelope = Envelope::decode(line).unwrap();
    let headers = envelope.properties.headers.clone().unwrap();
    let first = headers.fields().next().unwrap();
    assert_eq!((first.name, first.value), (&b"$int8"[..], Value::String(b"no")));
    assert_eq!(encoded(&envelope), line);
}

#[test]
fn nesting_has_a_limit_and_no_depth_overflows_the_stack() {
    let arrays = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let tables = |depth: usize| "{\"\":".repeat(depth) + "0" + &"}".repeat(depth);
    let escaped = |depth: usize| "{\"$table\":{\"$\":".repeat(depth) + "0" + &"}}".repeat(depth);
    let pairs =
        |depth: usize| "{\"$table\":[[\"\",".repeat(depth) + "0" + &"],[\"\",0]]}".repeat(depth);
    for nested in [arrays, tables, escaped, pairs] as [fn(usize) -> String; 4] {
        let deepest = nested(MAX_DEPTH);
        assert_eq!(json(&header_value(&deepest).unwrap()), deepest);
        let problem = "tables and arrays nested more than 500 deep";
        assert!(refused_value(&nested(MAX_DEPTH + 1)).ends_with(problem));
        assert!(refused_value(&nested(1_000_000)).ends_with(problem));
        assert!(header_value(&nested(1_000_000)[..1_000_000]).is_err());
    }
    let problem = "column 501: tables and arrays nested more than 500 deep";
    assert_eq!(refused_value(&arrays(501)), problem);
}
