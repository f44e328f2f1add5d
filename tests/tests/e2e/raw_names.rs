//! Names that are not UTF-8, and headers that no JSON object can represent, pass both ways.

use rmq_tests::brokers;
use rmq_tests::vhost::Vhost;
use rmq_tests::wire::{Raw, Wire, headers, short};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

const KEY: &[u8] = b"k\xff.\xfe";

/// A virtual host with a fanout exchange `all` and a queue of this type bound to it.
fn vhost_with(kind: &str) -> Vhost<'static> {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--type", kind, "--exchange", "all:fanout", "--bind", "all"], "in");
    vhost
}

fn raw(properties: Vec<u8>, body: &[u8]) -> Raw {
    Raw { exchange: b"all".to_vec(), routing_key: KEY.to_vec(), properties, body: body.to_vec() }
}

/// Every kind of value, in an order and with duplicates that only the wire format can represent.
fn odd_headers() -> Vec<u8> {
    headers(&[
        (b"b", b"S\0\0\0\x01\xff"),
        (b"a\xff", b"t\x01"),
        (b"c", b"L\0\0\0\0\0\0\0\x07"),
        (b"b", b"V"),
        (b"a", b"F\0\0\0\x0a\x01zV\x02y\xffV\x01zV"),
        (b"d", b"A\0\0\0\x07S\0\0\0\x01qV"),
    ])
}

#[test]
fn a_message_is_the_same_byte_for_byte_after_both_tools_as_without_them() {
    let texts = [0x8000_u16 | 0x4000 | 0x0400 | 0x0080 | 0x0020 | 0x0008, 0x0800 | 0x0400];
    let properties = [
        vec![0, 0],
        odd_headers(),
        headers(&[]),
        [&texts[0].to_be_bytes()[..], &short(b"t\xff").repeat(6)].concat(),
        [
            &(texts[1] | 0x2000 | 0x1000).to_be_bytes()[..],
            &odd_headers()[2..],
            &[2, 7],
            &short(b"c"),
        ]
        .concat(),
    ];
    for kind in ["classic", "quorum"] {
        let vhost = vhost_with(kind);
        vhost.declare(&["--type", "classic"], "out");
        let mut wire = Wire::connect(&vhost);
        for properties in &properties {
            for body in [&b"text"[..], b"\xff\0\n", b""] {
                let message = raw(properties.clone(), body);
                // The broker's version of it, and its version of that, without our tools.
                wire.publish(&message);
                let once = wire.take("in");
                assert_eq!(once.routing_key, KEY);
                wire.publish(&message);
                let received = vhost.receive(&["--format", "json", "-n", "1", "--keep-x", "in"]);
                let received = received.run().expect(0);
                let words = ["--format", "json", "-e", "all"];
                vhost.send(&words).input(received.stdout.clone()).run().expect(0);
                let sent = wire.take("in");
                wire.publish(&once);
                assert_eq!(sent, wire.take("in"), "{}", String::from_utf8_lossy(&received.stdout));
            }
        }
    }
}

#[test]
fn names_that_are_not_utf_8_come_out_in_every_format() {
    for kind in ["classic", "quorum"] {
        let vhost = vhost_with(kind);
        let mut wire = Wire::connect(&vhost);
        let message = raw(headers(&[(b"h\xfe", b"l\0\0\0\0\0\0\0\x07")]), b"body");
        let shown = |words: &[&str]| vhost.receive(words).arguments(&["in"]).run().expect(0).stdout;
        for (words, wanted) in [
            (&["-n", "1"][..], &b"body\n"[..]),
            (&["-n", "1", "-0"], b"body\0"),
            (&["-n", "1", "--format", "length"], b"\0\0\0\x04body"),
            (&["-n", "1", "--format", "%e %r %s\\n"], b"all k\xff.\xfe body\n"),
        ] {
            wire.publish(&message);
            assert_eq!(shown(words), wanted, "{words:?}");
        }
        wire.publish(&message);
        let json = String::from_utf8(shown(&["-n", "1", "--format", "json"])).unwrap();
        let key = r#""routing_key":{"$string_base64":"a/8u/g=="}"#;
        assert!(
            json.contains(key) && json.contains(r#""headers":[[{"$string_base64":"aP4="},7]]"#)
        );
        wire.publish(&message);
        let script = "cd \"$1\"; printf '%s' \"$AMQP_ROUTING_KEY\" > key; cat > body";
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().to_str().unwrap();
        let words = ["-n", "1", "in", "--", "sh", "-c", script, "sh", place];
        vhost.receive(&words).run().expect(0);
        assert_eq!(std::fs::read(directory.path().join("key")).unwrap(), KEY);
        assert_eq!(std::fs::read(directory.path().join("body")).unwrap(), b"body");
    }
}

#[test]
fn a_peek_shows_names_that_are_not_utf_8_and_puts_them_back() {
    for kind in ["classic", "quorum", "stream"] {
        let vhost = vhost_with(kind);
        let mut wire = Wire::connect(&vhost);
        wire.publish(&raw(headers(&[(b"h\xfe", b"V")]), b"body"));
        let looked = vhost.receive(&["--peek", "5", "--format", "%r %s\\n", "in"]).run().expect(0);
        assert_eq!(looked.stdout, [KEY, b" body\n"].concat(), "{kind}");
        if kind != "stream" {
            assert_eq!(wire.take("in").routing_key, KEY);
        }
    }
}

#[test]
fn rmq_send_sends_bytes_that_are_not_utf_8_where_amqp_takes_them() {
    let vhost = vhost_with("classic");
    let mut wire = Wire::connect(&vhost);
    let mut sending = vhost.send(&["-e", "all", "-K"]);
    sending.add(&[OsStr::from_bytes(b"\xf0\xff")]);
    sending.input(b"k\xff\xf0\xffbody\n".to_vec()).run().expect(0);
    let taken = wire.take("in");
    assert_eq!((&taken.routing_key[..], &taken.body[..]), (&b"k\xff"[..], &b"body"[..]));
    let mut sending = vhost.send(&["-e", "all", "--transient", "-b", "x"]);
    for (option, value) in [
        ("-r", &b"k\xfe"[..]),
        ("-H", b"h\xff=v\xfe"),
        ("--type", b"t\xff"),
        ("--message-id", b"m\xff"),
    ] {
        sending.add(&[OsStr::new(option), OsStr::from_bytes(value)]);
    }
    sending.run().expect(0);
    let taken = wire.take("in");
    assert_eq!(taken.routing_key, b"k\xfe");
    let flags = (0x2000_u16 | 0x1000 | 0x0080 | 0x0020).to_be_bytes();
    let header = &headers(&[(b"h\xff", b"S\0\0\0\x02v\xfe")])[2..];
    let rest = [&[1][..], &short(b"m\xff"), &short(b"t\xff")].concat();
    assert_eq!(taken.properties, [&flags[..], header, &rest].concat());
    // An unroutable message is reported, escaped, and rejected unchanged.
    let directory = tempfile::tempdir().unwrap();
    let rejects = directory.path().join("rejects");
    let words = ["--routed", "-K", ":", "--rejects", rejects.to_str().unwrap()];
    let rejected = vhost.send(&words).input(b"n\xff:x\nin:y\n".to_vec());
    rejected.run().expect(65).says("publish to 'n\\xff': no such queue");
    assert_eq!(std::fs::read(rejects).unwrap(), b"n\xff:x\n");
    assert_eq!(wire.take("in").body, b"y");
}
