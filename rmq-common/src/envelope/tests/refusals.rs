//! What is refused, at which position, and in which words.

use super::*;

#[test]
fn what_is_no_envelope_is_refused_by_name() {
    let lines = [
        ("", r#"column 1: expected an object such as {"body":"text"}, but the text ends here"#),
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
        (
            r#"{"headers":1}"#,
            r#"column 12: "headers" takes an object, or an array of [name,value], not a number"#,
        ),
        (r#"{"headers":["a"]}"#, r#"column 13: "headers" takes [name,value], not a string"#),
        (r#"{"headers":[[]]}"#, r#"column 14: "headers" takes [name,value], not an empty array"#),
        (r#"{"headers":[["a"]]}"#, r#"column 17: "headers" takes [name,value], not a name alone"#),
        (
            r#"{"headers":[["a",1,2]]}"#,
            r#"column 19: "headers" takes [name,value], not a longer array"#,
        ),
        (r#"{"headers":[[1,1]]}"#, r#"column 14: "headers" takes [name,value], not a number"#),
        (
            r#"{"routing_key":{"$bytes":"/w=="}}"#,
            r#"column 16: "routing_key" takes a string of at most 255 bytes, or {"$string_base64":"..."}, not another object"#,
        ),
        (
            r#"{"routing_key":{"$string_base64":"/w==","a":1}}"#,
            r#"column 41: "$string_base64" allows no other member beside it"#,
        ),
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
        (r#"{"body":"""#, r#"column 11: expected "," or "}", but the text ends here"#),
        (r#"{"body":"",}"#, "column 12: expected a member's name between quotes"),
        (r#"{body:""}"#, "column 2: expected a member's name between quotes"),
        (r#"{"body""x"}"#, r#"column 8: expected ":""#),
        (r#"{"body":this}"#, "column 9: expected a value"),
        (r#"{"body":"abc"#, "column 9: a string that has no end"),
        (
            r#"{"body":"abc\"#,
            r#"column 13: an escape that JSON does not have; it has \" \\ \/ \b \f \n \r \t \uXXXX"#,
        ),
        (
            r#"{"body":"a\x"}"#,
            r#"column 11: an escape that JSON does not have; it has \" \\ \/ \b \f \n \r \t \uXXXX"#,
        ),
        (r#"{"body":"\u00e"}"#, r"column 10: \u not followed by four hexadecimal digits"),
        (r#"{"body":"\u+0e4"}"#, r"column 10: \u not followed by four hexadecimal digits"),
        (r#"{"body":"\ud83d"}"#, "column 10: half of a surrogate pair is not a character"),
        (r#"{"body":"\ud83d\u0041"}"#, "column 10: half of a surrogate pair is not a character"),
        (r#"{"body":"\ude00\ud83d"}"#, "column 10: half of a surrogate pair is not a character"),
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
        ("", "column 1: expected a value, but the text ends here"),
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
        (r#"{"$short_string":"s"}"#, r#"column 2: unknown type "$short_string""#),
        (r#"{"$":1}"#, r#"column 2: unknown type "$""#),
        (r#"{"$oid":"0"}"#, r#"column 2: unknown type "$oid""#),
        (
            r#"{"$uint64":1}"#,
            r#"column 2: unknown type "$uint64"; RabbitMQ's integers of 64 bits have a sign, and are written as numbers"#,
        ),
        (r#"{"$int8":1,"a":2}"#, r#"column 12: "$int8" allows no other member beside it"#),
        (r#"{"$table":{"$a":1},"b":2}"#, r#"column 20: "$table" allows no other member beside it"#),
        (
            r#"{"$table":true}"#,
            r#"column 11: "$table" takes an object, or an array of [name,value], not true"#,
        ),
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
