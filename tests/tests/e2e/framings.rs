//! rmq-send's framings: what is a record, and the message if something is not one.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::scale::random;
use rmq_tests::tool::Tool;
use rmq_tests::vhost::Vhost;
use std::fs;

#[test]
fn arbitrary_bytes_in_every_framing_come_out_of_a_real_queue_as_they_were() {
    let vhost = Vhost::new(brokers::one());
    let mut random = random("framings");
    for format in ["lines", "nul", "length", "whole", "json"] {
        vhost.declare(&[], format);
        let count = if format == "whole" { 1 } else { 300 };
        let wanted: Vec<Vec<u8>> = (0..count)
            .map(|_| {
                let mut body: Vec<u8> = (0..random.usize(0..200)).map(|_| random.u8(..)).collect();
                match format {
                    "lines" => body.retain(|byte| *byte != b'\n'),
                    "nul" => body.retain(|byte| *byte != 0),
                    _ => {}
                }
                body
            })
            .collect();
        let mut input = Vec::new();
        for body in &wanted {
            match format {
                "lines" => input.extend([body, &b"\n"[..]].concat()),
                "nul" => input.extend([body, &b"\0"[..]].concat()),
                "length" => input.extend([&(body.len() as u32).to_be_bytes()[..], body].concat()),
                "json" => {
                    let base64 = Tool::program("base64").arguments(&["-w", "0"]);
                    let text = base64.input(body.clone()).run().expect(0).stdout;
                    let text = String::from_utf8(text).unwrap();
                    input.extend(format!("{{\"body_base64\":\"{text}\"}}\n").into_bytes());
                }
                _ => input.extend(body),
            }
        }
        vhost.send(&["--format", format, format]).input(input).run().expect(0);
        assert_eq!(vhost.take_bodies(format), wanted, "{format}");
    }
}

#[test]
fn a_last_record_without_its_end_is_sent_and_an_empty_input_sends_nothing() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    vhost.send(&["-0", "q"]).input(b"a\nb\0c".to_vec()).run().expect(0);
    vhost.send(&["-0", "q"]).run().expect(0);
    vhost.send(&["--format=length", "q"]).run().expect(0);
    assert_eq!(vhost.take_bodies("q"), [&b"a\nb"[..], b"c"]);
    vhost.send(&["--format=whole", "q"]).run().expect(0);
    assert_eq!(vhost.take_bodies("q"), [b""]);
}

#[test]
fn an_input_that_ends_in_the_middle_of_a_record_says_where_and_sends_what_was_whole() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let input = b"\0\0\0\x03one\0\0\0\x05tw".to_vec();
    let sent = vhost.send(&["--format", "length", "q"]).input(input).run().expect(65);
    sent.says(
        "record 2: the input ends at byte 13, 2 bytes into a record of 5 that begins at byte 7; \
         confirmed 1",
    );
    assert_eq!(vhost.take_bodies("q"), [b"one"]);
    let sent = vhost.send(&["--format=length", "q"]).input("hello, world\n").run().expect(65);
    sent.says(
        "record 1: at byte 0: a record of 1751477356 bytes; is this input in length framing?",
    );
}

#[test]
fn a_bad_envelope_is_named_with_its_line_and_column_and_those_before_it_are_sent() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let table = [
        (r#"{"bdoy":"x"}"#, "unknown member \"bdoy\""),
        (r#"{"body":"x""#, "line 2: column"),
        (r#"{"priority":256,"body":"x"}"#, "priority"),
        (r#"{"type":"t"}"#, "line 2: no \"body\" and no \"body_base64\""),
        ("no json", "line 2: column 1"),
    ];
    for (bad, said) in table {
        let input = format!("{{\"body\":\"good\"}}\n{bad}\n{{\"body\":\"unread\"}}\n");
        let sent = vhost.send(&["--format", "json", "q"]).input(input).run().expect(65);
        sent.says("rmq-send: line 2: ").says(said).says("confirmed 1");
    }
    assert_eq!(vhost.take_bodies("q"), vec![b"good".to_vec(); table.len()]);
}

#[test]
fn files_are_read_one_after_another_and_each_ends_its_last_record() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (a, b) = (path("a.log"), path("b.log"));
    fs::write(&a, "a1\na2").unwrap();
    fs::write(&b, "b1\nb2\n").unwrap();
    let sent = vhost.send(&["q", &a, "-", &b]).input("from standard input\n").run();
    sent.expect(0);
    assert_eq!(vhost.drain("q"), b"a1\na2\nfrom standard input\nb1\nb2\n");
    // Each is one message; so is the text of -b, for which standard input is not read.
    vhost.send(&["--format", "whole", "q", &a, &b]).run().expect(0);
    assert_eq!(vhost.take_bodies("q"), [&b"a1\na2"[..], b"b1\nb2\n"]);
    let mut sending = vhost.send(&["-b", "two\nlines\n", "q"]).open_input().start();
    vhost.wait_held("q", Held::ready(1));
    assert!(!sending.is_running() || sending.wait().expect(0).stderr.is_empty());
    assert_eq!(vhost.take_bodies("q"), [b"two\nlines\n"]);
}

#[test]
fn a_file_is_named_where_it_fails_with_how_far_it_got() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (a, b) = (path("a.log"), path("b.log"));
    fs::write(&a, "a1\na2\n").unwrap();
    fs::write(&b, "b1\nno key\n").unwrap();
    let sent = vhost.send(&["q", &a, &path("missing")]).run().expect(74);
    sent.says("rmq-send: read ").says("missing: No such file or directory");
    // A wrong name is noticed before anything is sent.
    assert_eq!(vhost.held("q"), Held::ready(0));
    vhost.send(&["q", &a, "/proc"]).run().expect(74).says("read /proc: Is a directory");
    // No test that runs as root can remove a permission between the check and the read; but the
    // memory of a process cannot be read at its beginning.
    let sent = vhost.send(&["q", &a, "/proc/self/mem"]).run().expect(74);
    sent.says("read /proc/self/mem: line 1 (record 3): Input/output error; confirmed 1-2");
    let sent = vhost.send(&["-K", "1", "--routed", &a, &b]).run().expect(65);
    sent.says(&format!("{a}: line 1: publish to a: no such queue"));
    let sent = vhost.send(&["-K", "1", "-e", "amq.fanout", "--allow-unroutable", &b]).run();
    sent.expect(65).says(&format!("{b}: line 2: no separator '1' in it; confirmed 1"));
}

#[test]
fn dry_run_reaches_no_broker_and_shows_what_would_be_sent() {
    let words = ["--url", "amqp://u:s3cret@127.0.0.1:1", "--dry-run", "-H", "n:int=5", "q"];
    let ended = Tool::new("rmq-send").arguments(&words).input("one\n").run().expect(0);
    let line = String::from_utf8(ended.stdout).unwrap();
    for part in [r#""routing_key":"q""#, r#""exchange":"""#, r#""n":5"#, r#""body":"one""#] {
        assert!(line.contains(part), "{line}");
    }
    assert!(!line.contains("s3cret") && !ended.stderr.contains("s3cret"));
    // What it shows can be sent.
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    vhost.send(&["--format=json", "--routed"]).input(line).run().expect(0);
    assert_eq!(vhost.drain("q"), b"one\n");
    let words = ["--dry-run", "--format=json", "--routed"];
    let bad = "{\"body\":\"x\"}\n{\"routing_key\":\"k\",\"body\":\"x\"}\n{\n";
    let ended = Tool::new("rmq-send").arguments(&words).input(bad).run().expect(65);
    assert_eq!(ended.stdout.split(|byte| *byte == b'\n').count(), 2);
    ended.says("line 1: no destination").says("line 3: column");
}
