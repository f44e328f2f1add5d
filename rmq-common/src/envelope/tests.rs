//! What reads back as the same, what is refused, and what JSON it is.

use super::*;
use lapin::types::{AMQPValue, ByteArray, DecimalValue, FieldArray, FieldTable, LongString};
use proptest::prelude::*;

fn encoded(envelope: &Envelope<'_>) -> Vec<u8> {
    let mut line = Vec::new();
    envelope.encode(&mut line);
    line
}

fn refused(line: &str) -> String {
    Envelope::decode(line.as_bytes()).expect_err(line).to_string()
}

fn refused_value(text: &str) -> String {
    header_value(text).expect_err(text).to_string()
}

fn short(text: &str) -> ShortString {
    ShortString::try_new(text).unwrap()
}

fn long(text: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(text))
}

fn table(entries: impl IntoIterator<Item = (&'static str, AMQPValue)>) -> AMQPValue {
    let mut table = FieldTable::default();
    for (name, value) in entries {
        table.insert(short(name), value);
    }
    AMQPValue::FieldTable(table)
}

fn array(values: impl Into<Vec<AMQPValue>>) -> AMQPValue {
    AMQPValue::FieldArray(FieldArray::from(values.into()))
}

/// The JSON of one header value.
fn json(value: AMQPValue) -> String {
    let mut headers = FieldTable::default();
    headers.insert(short("h"), value);
    let properties = BasicProperties::default().with_headers(headers);
    let line = encoded(&Envelope { properties, ..Envelope::default() });
    let line = String::from_utf8(line).unwrap();
    line.strip_prefix("{\"headers\":{\"h\":").unwrap().strip_suffix("}}").unwrap().into()
}

/// Equal, floats by their bits.
fn same(one: &AMQPValue, other: &AMQPValue) -> bool {
    match (one, other) {
        (AMQPValue::Float(one), AMQPValue::Float(other)) => one.to_bits() == other.to_bits(),
        (AMQPValue::Double(one), AMQPValue::Double(other)) => one.to_bits() == other.to_bits(),
        (AMQPValue::FieldArray(one), AMQPValue::FieldArray(other)) => {
            let (one, other) = (one.as_slice(), other.as_slice());
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (AMQPValue::FieldTable(one), AMQPValue::FieldTable(other)) => same_table(one, other),
        _ => one == other,
    }
}

fn same_table(one: &FieldTable, other: &FieldTable) -> bool {
    let (one, other) = (one.inner(), other.inner());
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| one.0 == other.0 && same(one.1, other.1))
}

fn same_envelope(one: &Envelope<'_>, other: &Envelope<'_>) -> bool {
    let headers = match (one.properties.headers(), other.properties.headers()) {
        (Some(one), Some(other)) => same_table(one, other),
        (one, other) => one.is_none() && other.is_none(),
    };
    // There is no way to take headers away, so both get the same.
    let without_headers =
        |envelope: &Envelope<'_>| envelope.properties.clone().with_headers(FieldTable::default());
    headers
        && without_headers(one) == without_headers(other)
        && (&one.id, one.more) == (&other.id, other.more)
        && (&one.exchange, &one.routing_key) == (&other.exchange, &other.routing_key)
        && (one.redelivered, one.delivery_count) == (other.redelivered, other.delivery_count)
        && one.body == other.body
}

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
fn what_is_no_envelope_is_refused_by_name() {
    let lines = [
        ("", r#"column 1: expected an object such as {"body":"text"}, but here it ends"#),
        ("Hello World!", r#"column 1: expected an object such as {"body":"text"}"#),
        (" [1]", r#"column 2: expected an object such as {"body":"text"}"#),
        (r#"{"id":"1-7","bdoy":""}"#, r#"column 13: unknown member "bdoy"; did you mean "body"?"#),
        (r#"{"payload":""}"#, r#"column 2: unknown member "payload""#),
        (
            r#"{"messageId":""}"#,
            r#"column 2: unknown member "messageId"; did you mean "message_id"?"#,
        ),
        (r#"{"body":"","body":""}"#, r#"column 12: a second "body""#),
        (
            r#"{"body":"","body_base64":""}"#,
            r#"column 12: both "body" and "body_base64"; an envelope has one of them"#,
        ),
        (r#"{"body":null}"#, r#"column 9: "body" takes a string, not null"#),
        (r#"{"body":{"a":1}}"#, r#"column 9: "body" takes a string, not an object"#),
        (r#"{"id":7}"#, r#"column 7: "id" takes a string, not a number"#),
        (r#"{"more":"yes"}"#, r#"column 9: "more" takes true or false, not a string"#),
        (
            r#"{"priority":256}"#,
            r#"column 13: "priority" takes an integer from 0 to 255, not one out of that range"#,
        ),
        (
            r#"{"priority":-1}"#,
            r#"column 13: "priority" takes an integer from 0 to 255, not one out of that range"#,
        ),
        (
            r#"{"priority":1.0}"#,
            r#"column 13: "priority" takes an integer from 0 to 255, not a number with a fraction or an exponent"#,
        ),
        (
            r#"{"timestamp":"now"}"#,
            r#"column 14: "timestamp" takes an integer from 0 to 18446744073709551615, not a string"#,
        ),
        (r#"{"headers":[]}"#, r#"column 12: "headers" takes an object, not an array"#),
        (r#"{"headers":{"a":1,"a":2}}"#, r#"column 19: a second "a""#),
        (r#"{"headers":{"t":{"a":1,"a":2}}}"#, r#"column 24: a second "a""#),
        (
            r#"{"headers":{"$int8":{"$int9":1}}}"#,
            r#"column 22: unknown type "$int9"; did you mean "$int8"?"#,
        ),
        (r#"{"body_base64":"AP8"}"#, r#"column 16: "body_base64": not base64: Invalid padding"#),
        (
            r#"{"body_base64":"A!=="}"#,
            r#"column 16: "body_base64": not base64: Invalid symbol 33, offset 1."#,
        ),
        (r#"{"body":""}{}"#, "column 12: something follows the object"),
        (r#"{"body":"" "id":""}"#, r#"column 12: expected "," or "}""#),
        (r#"{"body":"""#, r#"column 11: expected "," or "}", but here it ends"#),
        (r#"{"body":"",}"#, "column 12: expected a member's name between quotes"),
        (r#"{body:""}"#, "column 2: expected a member's name between quotes"),
        (r#"{"body""x"}"#, r#"column 8: expected ":""#),
        (r#"{"body":this}"#, "column 9: expected a value"),
        (r#"{"body":"abc"#, "column 9: a string that has no end"),
        (
            r#"{"body":"abc\"#,
            r#"column 13: an escape that JSON has not; it has \" \\ \/ \b \f \n \r \t \uXXXX"#,
        ),
        (
            r#"{"body":"a\x"}"#,
            r#"column 11: an escape that JSON has not; it has \" \\ \/ \b \f \n \r \t \uXXXX"#,
        ),
        (r#"{"body":"\u00e"}"#, r"column 10: \u with other than four hexadecimal digits after it"),
        (r#"{"body":"\u+0e4"}"#, r"column 10: \u with other than four hexadecimal digits after it"),
        (r#"{"body":"\ud83d"}"#, "column 10: half of a surrogate pair, which is no character"),
        (
            r#"{"body":"\ud83d\u0041"}"#,
            "column 10: half of a surrogate pair, which is no character",
        ),
        (
            r#"{"body":"\ude00\ud83d"}"#,
            "column 10: half of a surrogate pair, which is no character",
        ),
        ("{\"body\":\"a\tb\"}", r"column 11: a control character; in a string write it as \u0009"),
        (r#"{"priority":01}"#, "column 13: not a JSON number"),
    ];
    for (line, problem) in lines {
        assert_eq!(refused(line), problem, "{line}");
    }
    let long = "k".repeat(256);
    assert_eq!(
        refused(&format!(r#"{{"routing_key":"{long}"}}"#)),
        r#"column 16: "routing_key" takes a string of at most 255 bytes, not one of 256"#
    );
    assert_eq!(
        refused(&format!(r#"{{"headers":{{"{long}":1}}}}"#)),
        format!(r#"column 13: the name "{}..." has 256 bytes; AMQP allows 255"#, "k".repeat(40))
    );
    let latin1 = Envelope::decode(b"{\"body\":\"gr\xf6\xdfer\"}").unwrap_err();
    assert_eq!(latin1.column, 12);
    assert_eq!(
        latin1.to_string(),
        r#"column 12: not UTF-8; a body of any bytes goes into "body_base64""#
    );
}

#[test]
fn what_is_no_header_value_is_refused_by_name() {
    let values = [
        ("", "column 1: expected a value, but here it ends"),
        ("yes", "column 1: expected a value"),
        ("1 2", "column 3: something follows the value"),
        ("NaN", "column 1: expected a value"),
        ("+1", "column 1: expected a value"),
        (".5", "column 1: expected a value"),
        ("5.", "column 1: not a JSON number"),
        ("1e", "column 1: not a JSON number"),
        ("-", "column 1: not a JSON number"),
        ("[1,]", "column 4: expected a value"),
        ("[1 2]", r#"column 4: expected "," or "]""#),
        (
            "9223372036854775808",
            "column 1: an integer beyond the range of 64 bits with a sign, RabbitMQ's largest; \
             write it as a string, or with a fraction (.0) as a float",
        ),
        ("1e400", "column 1: a number beyond the range of a float of 64 bits"),
        (r#"{"$int9":1}"#, r#"column 2: unknown type "$int9"; did you mean "$int8"?"#),
        (
            r#"{"$short_string":"s"}"#,
            r#"column 2: "$short_string": RabbitMQ has no such type; write a plain string"#,
        ),
        (r#"{"$":1}"#, r#"column 2: unknown type "$""#),
        (r#"{"$oid":"0"}"#, r#"column 2: unknown type "$oid""#),
        (
            r#"{"$uint64":1}"#,
            r#"column 2: unknown type "$uint64"; RabbitMQ's integers of 64 bits have a sign, and are written as numbers"#,
        ),
        (r#"{"$int8":1,"a":2}"#, r#"column 12: "$int8" allows no other member beside it"#),
        (r#"{"$table":{"$a":1},"b":2}"#, r#"column 20: "$table" allows no other member beside it"#),
        (r#"{"$table":[]}"#, r#"column 11: "$table" takes an object, not an array"#),
        (
            r#"{"a":1,"$b":2}"#,
            r#"column 8: "$b" in a table; a table with such names is written {"$table":{...}}"#,
        ),
        (
            r#"{"$int8":128}"#,
            r#"column 10: "$int8" takes an integer from -128 to 127, not one out of that range"#,
        ),
        (
            r#"{"$uint32":"1"}"#,
            r#"column 12: "$uint32" takes an integer from 0 to 4294967295, not a string"#,
        ),
        (
            r#"{"$float":1e39}"#,
            r#"column 11: "$float" takes a number, or its bits as a string of 8 hexadecimal digits, not a number beyond 32 bits"#,
        ),
        (
            r#"{"$double":"+ff8000000000000"}"#,
            r#"column 12: "$double" takes a number, or its bits as a string of 16 hexadecimal digits, not another string"#,
        ),
        (
            r#"{"$double":null}"#,
            r#"column 12: "$double" takes a number, or its bits as a string of 16 hexadecimal digits, not null"#,
        ),
        (
            r#"{"$decimal":3.14}"#,
            r#"column 13: "$decimal" takes an object of "scale" and "value", not a number"#,
        ),
        (
            r#"{"$decimal":{"scale":1}}"#,
            r#"column 13: "$decimal" takes an object of "scale" and "value", not one without both"#,
        ),
        (
            r#"{"$decimal":{"scale":1,"x":1}}"#,
            r#"column 24: "$decimal" takes an object of "scale" and "value", not "x""#,
        ),
        (r#"{"$decimal":{"scale":1,"scale":1}}"#, r#"column 24: a second "scale""#),
        (r#"{"$bytes":[1]}"#, r#"column 11: "$bytes" takes a string in base64, not an array"#),
    ];
    for (text, problem) in values {
        assert_eq!(refused_value(text), problem, "{text}");
    }
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

/// A name: any, or one that means something.
fn names() -> impl Strategy<Value = ShortString> {
    let name = prop_oneof![
        4 => ".{0,8}",
        1 => "\\$[a-z0-9]{0,3}",
        1 => prop::sample::select(vec!["$table", "$int8", "$double", "$decimal", "$bytes"])
            .prop_map(str::to_owned),
        1 => "[a-z]{255}",
    ];
    name.prop_map(|name| ShortString::try_new(name).unwrap())
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        any::<String>().prop_map(String::into_bytes),
        "[ -~\\n\\t\u{0}]{0,200}".prop_map(String::into_bytes),
    ]
}

fn values() -> impl Strategy<Value = AMQPValue> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(AMQPValue::Boolean),
        any::<i8>().prop_map(AMQPValue::ShortShortInt),
        any::<u8>().prop_map(AMQPValue::ShortShortUInt),
        any::<i16>().prop_map(AMQPValue::ShortInt),
        any::<u16>().prop_map(AMQPValue::ShortUInt),
        any::<i32>().prop_map(AMQPValue::LongInt),
        any::<u32>().prop_map(AMQPValue::LongUInt),
        any::<i64>().prop_map(AMQPValue::LongLongInt),
        any::<u32>().prop_map(|bits| AMQPValue::Float(f32::from_bits(bits))),
        any::<u64>().prop_map(|bits| AMQPValue::Double(f64::from_bits(bits))),
        // NaNs and infinities, with any payload.
        (0..1u32 << 24).prop_map(|bits| AMQPValue::Float(f32::from_bits(0x7f80_0000 ^ bits << 8))),
        any::<u64>().prop_map(|bits| AMQPValue::Double(f64::from_bits(bits | 0x7ff0 << 48))),
        any::<i32>().prop_map(|whole| AMQPValue::Double(whole.into())),
        (any::<u8>(), any::<u32>())
            .prop_map(|(scale, value)| AMQPValue::DecimalValue(DecimalValue { scale, value })),
        any::<u64>().prop_map(AMQPValue::Timestamp),
        bytes().prop_map(|bytes| AMQPValue::LongString(bytes.into())),
        bytes().prop_map(|bytes| AMQPValue::ByteArray(bytes.into())),
        Just(AMQPValue::Void),
    ];
    leaf.prop_recursive(6, 40, 6, |value| {
        prop_oneof![
            prop::collection::vec(value.clone(), 0..6).prop_map(array),
            prop::collection::btree_map(names(), value, 0..6)
                .prop_map(|entries| AMQPValue::FieldTable(entries.into())),
        ]
    })
}

fn headers() -> impl Strategy<Value = FieldTable> {
    prop::collection::btree_map(names(), values(), 0..6).prop_map(FieldTable::from)
}

fn properties() -> impl Strategy<Value = BasicProperties> {
    let texts = prop::collection::vec(prop::option::of(names()), 10);
    let numbers = (any::<Option<u8>>(), any::<Option<u8>>(), any::<Option<u64>>());
    (texts, numbers, prop::option::of(headers())).prop_map(|(texts, numbers, headers)| {
        let set: [fn(BasicProperties, ShortString) -> BasicProperties; 10] = [
            BasicProperties::with_content_type,
            BasicProperties::with_content_encoding,
            BasicProperties::with_correlation_id,
            BasicProperties::with_reply_to,
            BasicProperties::with_expiration,
            BasicProperties::with_message_id,
            BasicProperties::with_type,
            BasicProperties::with_user_id,
            BasicProperties::with_app_id,
            BasicProperties::with_cluster_id,
        ];
        let mut properties = BasicProperties::default();
        for (set, text) in set.into_iter().zip(texts) {
            properties = match text {
                Some(text) => set(properties, text),
                None => properties,
            };
        }
        if let Some(mode) = numbers.0 {
            properties = properties.with_delivery_mode(mode);
        }
        if let Some(priority) = numbers.1 {
            properties = properties.with_priority(priority);
        }
        if let Some(timestamp) = numbers.2 {
            properties = properties.with_timestamp(timestamp);
        }
        match headers {
            Some(headers) => properties.with_headers(headers),
            None => properties,
        }
    })
}

fn envelopes() -> impl Strategy<Value = Envelope<'static>> {
    let delivery = (any::<Option<String>>(), any::<bool>(), any::<bool>(), any::<Option<u64>>());
    let place = (prop::option::of(names()), prop::option::of(names()));
    (delivery, place, properties(), prop::option::of(bytes())).prop_map(
        |((id, more, redelivered, delivery_count), (exchange, routing_key), properties, body)| {
            Envelope {
                id: id.map(Cow::Owned),
                more,
                exchange,
                routing_key,
                redelivered,
                delivery_count,
                properties,
                body: body.map(Cow::Owned),
            }
        },
    )
}

proptest! {
    #[test]
    fn every_envelope_reads_back_as_it_was(envelope in envelopes()) {
        let line = encoded(&envelope);
        prop_assert!(!line.contains(&b'\n'));
        let is_json = serde_json::from_slice::<serde_json::Value>(&line);
        prop_assert!(is_json.is_ok(), "{is_json:?}");
        let read = Envelope::decode(&line).unwrap();
        prop_assert!(same_envelope(&read, &envelope), "{read:?} {envelope:?}");
        prop_assert_eq!(encoded(&read), line);
    }

    #[test]
    fn what_stands_before_in_the_buffer_stays(envelope in envelopes()) {
        let mut lines = b"before{".to_vec();
        envelope.encode(&mut lines);
        prop_assert_eq!(lines.strip_prefix(b"before{"), Some(&encoded(&envelope)[..]));
    }

    #[test]
    fn any_bytes_are_read_or_refused(line in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Err(malformed) = Envelope::decode(&line) {
            prop_assert!((1..=line.len() + 1).contains(&malformed.column));
        }
    }

    #[test]
    fn a_damaged_envelope_is_read_or_refused(
        envelope in envelopes(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0..3, any::<u8>()), 1..4),
    ) {
        let mut line = encoded(&envelope);
        for (place, kind, byte) in damage {
            let place = place.index(line.len() + 1).min(line.len().saturating_sub(1));
            match kind {
                _ if line.is_empty() => line.push(byte),
                0 => line[place] = byte,
                1 => line.insert(place, b"\"\\{}[]:,$0-."[usize::from(byte) % 12]),
                _ => line.truncate(place),
            }
        }
        match Envelope::decode(&line) {
            Ok(read) => {
                let written = encoded(&read);
                prop_assert!(same_envelope(&Envelope::decode(&written).unwrap(), &read));
            }
            Err(malformed) => prop_assert!((1..=line.len() + 1).contains(&malformed.column)),
        }
    }

    /// Which texts are JSON is not for us to decide.
    #[test]
    fn json_is_what_serde_json_takes_for_it(text in "[\\[\\]{}\",:\\\\ \\-+.0-9eEutrufalsn\u{9}ä]{0,12}") {
        agrees_with_serde_json(&text)?;
    }

    #[test]
    fn numbers_are_what_serde_json_takes_for_them(text in "-?[0-9]{0,21}(\\.[0-9]{0,3})?([eE][-+]?[0-9]{0,3})?") {
        agrees_with_serde_json(&text)?;
    }

    #[test]
    fn strings_are_what_serde_json_takes_for_them(text in "\"([a-zä\u{0}-\u{20}]|\\\\[\"\\\\/bfnrtuU]|\\\\u[dD][89abcf][0-9a-f]{2}|\\\\u00[0-9a-fA-F]{2}){0,6}\"") {
        agrees_with_serde_json(&text)?;
    }
}

/// Both take it for JSON, or both refuse it; where they may differ is what AMQP cannot hold.
fn agrees_with_serde_json(text: &str) -> Result<(), TestCaseError> {
    let ours = header_value(text);
    let theirs = serde_json::from_str::<serde_json::Value>(text);
    match (&ours, &theirs) {
        (Ok(AMQPValue::LongString(ours)), Ok(serde_json::Value::String(theirs))) => {
            prop_assert_eq!(ours.as_bytes(), theirs.as_bytes());
        }
        (Ok(AMQPValue::LongLongInt(ours)), Ok(theirs)) => {
            prop_assert_eq!(theirs.as_i64(), Some(*ours));
        }
        (Ok(AMQPValue::Double(ours)), Ok(theirs)) => {
            // serde_json rounds the last bit otherwise unless it is told to take its time.
            let theirs = theirs.as_f64().unwrap();
            prop_assert!(*ours == theirs || ((ours - theirs) / ours).abs() < 1e-15);
        }
        (Ok(ours), Ok(theirs)) => {
            prop_assert!(!theirs.is_number() && !theirs.is_string(), "{ours:?}")
        }
        (Err(ours), Ok(_)) => {
            let ours = ours.to_string();
            let beyond = ours.contains("beyond the range") || ours.contains("a second");
            prop_assert!(beyond, "{text}: {ours}");
        }
        (Err(_), Err(_)) => (),
        (Ok(_), Err(theirs)) => prop_assert!(false, "{text}: {theirs}"),
    }
    Ok(())
}
