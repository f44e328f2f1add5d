//! Records as users have them: everything that was read is sent or reported.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::tool::Tool;
use rmq_tests::vhost::Vhost;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

#[test]
fn an_envelope_with_an_id_and_no_body_is_a_bad_record_without_ack_to() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let rejects = directory.path().join("rejects");
    let input = "{\"id\":\"u-1\",\"type\":\"order\"}\n{\"body\":\"two\"}\n";
    let words = ["--format", "json", "q"];
    let sent = vhost.send(&words).input(input).run().expect(65);
    let sent = sent.says("line 1: no \"body\" and no \"body_base64\" (an envelope is ");
    assert_eq!((sent.tally("read"), sent.tally("dropped")), (1, 0));
    vhost.wait_held("q", Held::ready(0));
    let words = ["--rejects", rejects.to_str().unwrap(), "--format", "json", "q"];
    let sent = vhost.send(&words).input(input).run().expect(65);
    assert_eq!((sent.tally("confirmed"), sent.tally("rejected")), (1, 1));
    assert_eq!(fs::read_to_string(&rejects).unwrap(), "{\"id\":\"u-1\",\"type\":\"order\"}\n");
    let spool = directory.path().join("spool");
    let words = ["--spool", spool.to_str().unwrap(), "--format", "json", "q"];
    vhost.send(&words).input(input).run().expect(65).says("line 1: no \"body\"");
    let words = ["--dry-run", "--format", "json", "q"];
    Tool::new("rmq-send").arguments(&words).input(input).run().expect(65).says("line 1: no");
}

#[test]
fn what_a_filter_dropped_is_counted_where_it_is_told_upstream() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "in");
    vhost.declare(&[], "out");
    vhost.send(&["in"]).input("one\ntwo\nthree\n").run().expect(0);
    let script = "d=$(mktemp -d) && mkfifo \"$d/ack\" && \
                  \"$RECV\" --drain --format json --ack downstream --ack-from \"$d/ack\" in | \
                  sed -u 's/^\\({\"id\":\"[^\"]*\"\\).*\"two\"}$/\\1}/' | \
                  \"$SEND\" -v --format json --ack-to \"$d/ack\" out; \
                  status=$?; rm -r \"$d\"; exit $status";
    let binary = |name| rmq_tests::tool::binary(name).to_str().unwrap().to_owned();
    let piped = Tool::program("bash")
        .arguments(&["-o", "pipefail", "-c", script])
        .environment("AMQP_URL", &vhost.url())
        .environment("RECV", &binary("rmq-recv"))
        .environment("SEND", &binary("rmq-send"));
    let piped = piped.run().expect(0);
    assert_eq!((piped.tally("read"), piped.tally("dropped")), (3, 1), "{}", piped.stderr);
    vhost.wait_held("in", Held::ready(0));
    assert_eq!(vhost.drain("out"), b"one\nthree\n");
}

#[test]
fn a_body_of_the_command_line_is_sent_whatever_its_bytes_are() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let body = b"caf\xe9 \xff\xf4\x8f\xbf\xbf\n";
    let words = [b"-b", &body[..]].map(OsStr::from_bytes);
    let joined = [b"--body=", &body[..]].concat();
    let mut send = vhost.send(&["q"]);
    send.add(&words);
    send.run().expect(0);
    let mut send = vhost.send(&["q"]);
    send.add(&[OsStr::from_bytes(&joined)]);
    send.run().expect(0);
    assert_eq!(vhost.take_bodies("q"), [body, body]);
    let mut send = vhost.send(&["-b", "x"]);
    send.add(&[OsStr::from_bytes(b"caf\xe9")]);
    send.run().expect(64).says("the argument 'caf\u{fffd}' is not UTF-8");
}

#[test]
fn names_that_a_terminal_does_not_show_are_escaped() {
    let vhost = Vhost::new(brokers::one());
    for (queue, shown) in [("q\r", "'q\\r'"), ("q ", "'q '"), ("a\tb", "'a\\tb'")] {
        let sent = vhost.send(&[queue]).input("one\n").run().expect(65);
        sent.says(&format!("publish to {shown}: no such queue"));
        let record = format!("{queue}:body\n");
        let sent = vhost.send(&["--routed", "-K", ":"]).input(record).run().expect(65);
        sent.says(&format!("line 1: publish to {shown}: no such queue"));
    }
    let sent = vhost.send(&["--routed", "-K", ":"]).input(":body\n").run().expect(65);
    sent.says("line 1: its routing key, which names the queue, is empty");
}

#[test]
fn json_of_another_kind_is_told_what_an_envelope_is_and_a_byte_order_mark_is_skipped() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let envelope = "(an envelope is {\"body\":\"text\"}, see rmq(7); to send each line as it is: \
                    --format lines)";
    let one_line = "(one object a line: jq -c)";
    for (input, status, said) in [
        ("{\"order\":17,\"item\":\"x\"}\n", 65, envelope),
        ("[1,2]\n", 65, envelope),
        ("{\"id\":17}\n", 65, envelope),
        ("{\n  \"body\": \"x\"\n}\n", 65, one_line),
        ("[\n", 65, one_line),
        ("\n", 65, "line 1: column 1: expected an object"),
        ("\u{feff}{\"body\":\"marked\"}\n{\"body\":\"plain\"}\n", 0, ""),
    ] {
        let sent = vhost.send(&["--format", "json", "q"]).input(input).run().expect(status);
        sent.says(said);
    }
    assert_eq!(vhost.drain("q"), b"marked\nplain\n");
}

#[test]
fn input_in_utf_16_is_sent_as_it_is_and_reported_once() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let text: Vec<u8> = "\u{feff}one\ntwo\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("text");
    fs::write(&file, &text).unwrap();
    let file = file.to_str().unwrap();
    let sent = vhost.send(&["q", file, file]).run().expect(0);
    let notice = "looks like UTF-16; its bytes are sent as they are";
    assert_eq!(sent.stderr.matches(notice).count(), 1, "{}", sent.stderr);
    let mut twice = [&text[..], &text[..]].concat();
    twice.retain(|byte| *byte != b'\n');
    assert_eq!(vhost.take_bodies("q").concat(), twice);
    let sent = vhost.send(&["--quiet", "q", file]).run().expect(0);
    assert_eq!(sent.stderr, "");
}

#[test]
fn a_header_that_rabbitmq_does_not_carry_is_refused_by_its_position() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    let nan = r#"{"headers":{"deep":[{"x":{"$float":"7fc00000"}}]},"body":"nan"}"#;
    let infinite = r#"{"headers":{"x":{"$double":"fff0000000000000"}},"body":"infinite"}"#;
    let good = |body| format!("{{\"headers\":{{\"x\":1e300}},\"body\":\"{body}\"}}\n");
    let input = format!("{}{nan}\n{}{infinite}\n", good("one"), good("three"));
    let sent = vhost.send(&["--format", "json", "q"]).input(input.clone()).run().expect(65);
    let sent = sent.says("line 2: header deep: a float that is NaN or infinite");
    assert!(!sent.stderr.contains("lost the connection"), "{}", sent.stderr);
    assert_eq!(vhost.drain("q"), b"one\n");
    let rejects = directory.path().join("rejects");
    let rejects = rejects.to_str().unwrap();
    for spool in [None, Some(spool.to_str().unwrap())] {
        let words = ["--rejects", rejects, "--format", "json", "q"];
        let sent = vhost.send(&words);
        let sent = match spool {
            Some(spool) => sent.arguments(&["--spool", spool]),
            None => sent,
        };
        let sent = sent.input(input.clone()).run().expect(65);
        assert_eq!(sent.tally("confirmed"), 2, "{}", sent.stderr);
        assert_eq!(fs::read_to_string(rejects).unwrap(), format!("{nan}\n{infinite}\n"));
        fs::remove_file(rejects).unwrap();
        assert_eq!(vhost.drain("q"), b"one\nthree\n");
    }
}
