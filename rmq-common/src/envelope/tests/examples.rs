//! Which JSON stands for what.

use super::*;
use lapin::types::{ByteArray, DecimalValue};

#[test]
fn every_member_has_its_place() {
    let properties = BasicProperties::default()
        .with_content_type(short("text/plain"))
        .with_content_encoding(short("gzip"))
        .with_headers(FieldTable::default())
        .with_delivery_mode(2)
        .with_priority(9)
        .with_correlation_id(short("c"))
        .with_reply_to(short("r"))
        .with_expiration(short("60000"))
        .with_message_id(short("m"))
        .with_timestamp(u64::MAX)
        .with_type(short("t"))
        .with_user_id(short("u"))
        .with_app_id(short("a"))
        .with_cluster_id(short("k"));
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
    assert!(envelope.no_delivery_mode && envelope.properties.delivery_mode().is_none());
    assert_eq!(encoded(&envelope), line);
    assert!(!Envelope::decode(br#"{"body":"x"}"#).unwrap().no_delivery_mode);
}

#[test]
fn every_type_has_its_json() {
    let nan = f64::from_bits(0x7ff8_0000_0000_0000);
    let types = [
        (AMQPValue::Boolean(true), "true"),
        (AMQPValue::Boolean(false), "false"),
        (AMQPValue::Void, "null"),
        (AMQPValue::LongLongInt(i64::MIN), "-9223372036854775808"),
        (AMQPValue::LongLongInt(i64::MAX), "9223372036854775807"),
        (AMQPValue::Double(1.0), "1.0"),
        (AMQPValue::Double(-0.0), "-0.0"),
        (AMQPValue::Double(1e300), "1e300"),
        (AMQPValue::Double(0.1), "0.1"),
        (AMQPValue::Double(5e-324), "5e-324"),
        (AMQPValue::Double(nan), r#"{"$double":"7ff8000000000000"}"#),
        (AMQPValue::Double(f64::NEG_INFINITY), r#"{"$double":"fff0000000000000"}"#),
        (AMQPValue::Float(0.1), r#"{"$float":0.1}"#),
        (AMQPValue::Float(f32::MAX), r#"{"$float":3.4028235e38}"#),
        (AMQPValue::Float(f32::from_bits(0x7fc0_0001)), r#"{"$float":"7fc00001"}"#),
        (long("a\"ä"), r#""a\"ä""#),
        (AMQPValue::LongString(vec![0xff].into()), r#"{"$string_base64":"/w=="}"#),
        (AMQPValue::ShortShortInt(-128), r#"{"$int8":-128}"#),
        (AMQPValue::ShortShortUInt(255), r#"{"$uint8":255}"#),
        (AMQPValue::ShortInt(-32768), r#"{"$int16":-32768}"#),
        (AMQPValue::ShortUInt(65535), r#"{"$uint16":65535}"#),
        (AMQPValue::LongInt(i32::MIN), r#"{"$int32":-2147483648}"#),
        (AMQPValue::LongUInt(u32::MAX), r#"{"$uint32":4294967295}"#),
        (
            AMQPValue::DecimalValue(DecimalValue { scale: 2, value: 314 }),
            r#"{"$decimal":{"scale":2,"value":314}}"#,
        ),
        (AMQPValue::Timestamp(u64::MAX), r#"{"$timestamp":18446744073709551615}"#),
        (AMQPValue::ByteArray(ByteArray::from(vec![0, 255])), r#"{"$bytes":"AP8="}"#),
        (array([]), "[]"),
        (array([AMQPValue::Void, array([long("a")]), table([])]), r#"[null,["a"],{}]"#),
        (table([("a", array([])), ("b", table([("c", long(""))]))]), r#"{"a":[],"b":{"c":""}}"#),
        (table([("$int8", long("no"))]), r#"{"$table":{"$int8":"no"}}"#),
        (
            table([("$table", table([("$table", table([]))])), ("a", AMQPValue::Void)]),
            r#"{"$table":{"$table":{"$table":{"$table":{}}},"a":null}}"#,
        ),
    ];
    for (value, text) in types {
        assert_eq!(json(value.clone()), text);
        let read = header_value(text).unwrap();
        assert!(same(&read, &value), "{text}: {read:?}");
    }
}

/// A value that lapin has, and neither the wire nor RabbitMQ: it can be shown, and not be sent.
#[test]
fn a_short_string_is_shown_as_what_it_is() {
    assert_eq!(json(AMQPValue::ShortString(short("s"))), r#"{"$short_string":"s"}"#);
}

#[test]
fn a_value_may_be_written_in_other_ways() {
    let other = [
        ("-0", AMQPValue::Double(-0.0)),
        ("1E2", AMQPValue::Double(100.0)),
        (r#" { "$double" : 1 } "#, AMQPValue::Double(1.0)),
        (r#"{"$double":"3FF0000000000000"}"#, AMQPValue::Double(1.0)),
        (r#"{"$float":-0}"#, AMQPValue::Float(-0.0)),
        (r#"{"$float":"3f800000"}"#, AMQPValue::Float(1.0)),
        (r#"{"$string_base64":"YQ=="}"#, long("a")),
        (r#"{"$table":{"a":1}}"#, table([("a", AMQPValue::LongLongInt(1))])),
        (r#"{"$table":{}}"#, table([])),
        (r#"{"\u0024int8":1}"#, AMQPValue::ShortShortInt(1)),
        (
            r#"{"$decimal":{"value":1,"scale":0}}"#,
            AMQPValue::DecimalValue(DecimalValue { scale: 0, value: 1 }),
        ),
    ];
    for (text, value) in other {
        let read = header_value(text).unwrap();
        assert!(same(&read, &value), "{text}: {read:?}");
    }
}

#[test]
fn the_names_of_headers_themselves_may_begin_with_a_dollar() {
    let line = br#"{"headers":{"$int8":"no","$x":1}}"#;
    let envelope = Envelope::decode(line).unwrap();
    let headers = envelope.properties.headers().clone().unwrap();
    assert_eq!(headers.inner().get("$int8"), Some(&long("no")));
    assert_eq!(encoded(&envelope), line);
}

#[test]
fn nesting_has_a_limit_and_no_depth_overflows_the_stack() {
    let arrays = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let tables = |depth: usize| "{\"\":".repeat(depth) + "0" + &"}".repeat(depth);
    let escaped = |depth: usize| "{\"$table\":{\"$\":".repeat(depth) + "0" + &"}}".repeat(depth);
    for nested in [arrays, tables, escaped] as [fn(usize) -> String; 3] {
        let deepest = nested(MAX_DEPTH);
        assert_eq!(json(header_value(&deepest).unwrap()), deepest);
        let problem = "tables and arrays nested more than 500 deep";
        assert!(refused_value(&nested(MAX_DEPTH + 1)).ends_with(problem));
        assert!(refused_value(&nested(1_000_000)).ends_with(problem));
        assert!(header_value(&nested(1_000_000)[..1_000_000]).is_err());
    }
    let problem = "column 501: tables and arrays nested more than 500 deep";
    assert_eq!(refused_value(&arrays(501)), problem);
}
