//! Where rmq-send's messages go, and what they carry.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::tool::Tool;
use rmq_tests::vhost::Vhost;
use std::collections::BTreeSet;

#[test]
fn a_key_of_each_record_routes_it() {
    let vhost = Vhost::new(brokers::one());
    for queue in ["a", "b"] {
        vhost.declare(&[], queue);
    }
    vhost.add_exchange("topics", "topic");
    vhost.bind("topics", "a.#", "a");
    vhost.bind("topics", "#.b", "b");
    let keyed = "a.1\tto a\nx.b\tto b\na.b\tto both\n";
    vhost.send(&["-e", "topics", "-K", r"\t"]).input(keyed).run().expect(0);
    assert_eq!(vhost.drain("a"), b"to a\nto both\n");
    assert_eq!(vhost.drain("b"), b"to b\nto both\n");
    // With --routed the key is a queue; without, the command line is over what the record says.
    vhost.send(&["--routed", "-K", ":"]).input("b:1\na:2:3\n").run().expect(0);
    assert_eq!((vhost.drain("a"), vhost.drain("b")), (b"2:3\n".to_vec(), b"1\n".to_vec()));
    vhost.send(&["-K", ":", "a"]).input("b:1\n").run().expect(0);
    assert_eq!(vhost.drain("a"), b"1\n");
    vhost.send(&["-e", "topics", "-r", "a.b", "-b", "fixed"]).run().expect(0);
    assert_eq!((vhost.drain("a"), vhost.drain("b")), (b"fixed\n".to_vec(), b"fixed\n".to_vec()));
}

#[test]
fn a_key_that_amqp_cannot_carry_is_65_and_named_and_the_rest_is_sent() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let rejects = directory.path().join("rejects");
    let mut input = b"q:one\n".to_vec();
    let long = [&b"k".repeat(300)[..], b":two\n"].concat();
    input.extend_from_slice(&long);
    input.extend_from_slice(b"q\xff:three\nq:four\n");
    let words = ["--routed", "-K", ":", "--rejects", rejects.to_str().unwrap()];
    let sent = vhost.send(&words).input(input.clone()).run().expect(65);
    sent.says("line 2: the routing key has 300 bytes; AMQP allows 255")
        .says("line 3: publish to 'q\\xff': no such queue")
        .says("2 records rejected, kept in");
    assert_eq!(vhost.drain("q"), b"one\nfour\n");
    assert_eq!(std::fs::read(&rejects).unwrap(), [&long[..], b"q\xff:three\n"].concat());
    // Without --rejects it ends there, and what came before is sent.
    let sent = vhost.send(&["--routed", "-K", ":"]).input(input).run().expect(65);
    sent.says("line 2: the routing key has 300 bytes").says("confirmed 1");
    assert_eq!(vhost.drain("q"), b"one\n");
}

#[test]
fn an_unroutable_key_in_the_middle_is_named_and_rejected_and_all_others_arrive() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    vhost.add_exchange("direct", "direct");
    vhost.bind("direct", "good", "q");
    let directory = tempfile::tempdir().unwrap();
    let rejects = directory.path().join("rejects");
    let mut input = String::new();
    for line in 1..=2000 {
        let key = if line == 1234 { "bad" } else { "good" };
        // Bodies repeat, so that only the key identifies the returned one.
        input.push_str(&format!("{key} {}\n", line % 7));
    }
    let words = ["-e", "direct", "-K", " ", "--rejects", rejects.to_str().unwrap()];
    let sent = vhost.send(&words).input(input).run().expect(65);
    let sent = sent.says("line 1234: publish to exchange direct with key bad in vhost");
    let sent = sent.says("no queue takes it");
    assert_eq!((sent.tally("confirmed"), sent.tally("returned")), (1999, 1));
    assert_eq!(sent.tally("rejected"), 1);
    assert_eq!(std::fs::read(&rejects).unwrap(), b"bad 2\n");
    vhost.wait_held("q", Held::ready(1999));
    // It can be allowed, for a fanout that nobody listens to yet.
    let words = ["-e", "direct", "-r", "bad", "--allow-unroutable", "-b", "x"];
    vhost.send(&words).run().expect(0);
    vhost.wait_held("q", Held::ready(1999));
}

#[test]
fn an_exchange_that_is_not_there_fails_its_own_records_and_no_others() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let rejects = directory.path().join("rejects");
    let line = |exchange: &str, key: &str| {
        format!("{{\"exchange\":\"{exchange}\",\"routing_key\":\"{key}\",\"body\":\"x\"}}\n")
    };
    let mut input = String::new();
    for number in 0..200 {
        input.push_str(&if number % 50 == 25 { line("nowhere", "k") } else { line("", "q") });
    }
    let words = ["--format=json", "--routed", "--rejects", rejects.to_str().unwrap()];
    let sent = vhost.send(&words).input(input).run().expect(65);
    let sent = sent.says("line 26: publish to exchange nowhere: no such exchange in vhost");
    assert_eq!((sent.tally("confirmed"), sent.tally("rejected")), (196, 4));
    vhost.wait_held("q", Held::ready(196));
    let sent = vhost.send(&["-e", "nowhere"]).input("unread\n").run().expect(65);
    let sent = sent.says("publish to exchange nowhere: no such exchange in vhost");
    assert_eq!(sent.stderr.lines().count(), 1, "{}", sent.stderr);
}

#[test]
fn a_record_that_the_broker_refuses_is_found_among_many_and_the_rest_arrives() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let rejects = directory.path().join("rejects");
    let mut input = String::new();
    for number in 1..=500 {
        // The broker takes no message in somebody else's name, and closes the channel over it.
        let user = if number == 300 { "somebody" } else { &vhost.name };
        input.push_str(&format!("{{\"user_id\":\"{user}\",\"body\":\"{number}\"}}\n"));
    }
    let words = ["--format=json", "--rejects", rejects.to_str().unwrap(), "q"];
    let sent = vhost.send(&words).input(input).run().expect(65);
    let sent = sent.says("line 300: publish to q in vhost").says("user_id");
    assert_eq!((sent.tally("confirmed"), sent.tally("rejected")), (499, 1));
    // What was on its way when the channel closed went twice.
    let numbers: BTreeSet<Vec<u8>> = vhost.take_bodies("q").into_iter().collect();
    assert_eq!(numbers.len(), 499);
    assert!(!numbers.contains(&b"300"[..]));
}

#[test]
fn headers_larger_than_a_frame_fail_their_own_record_and_no_other() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let large = "x".repeat(140_000);
    let input = format!(
        "{{\"body\":\"one\"}}\n{{\"headers\":{{\"h\":\"{large}\"}},\"body\":\"two\"}}\n\
         {{\"body\":\"three\"}}\n"
    );
    let words = ["--format", "json", "--rejects", "/dev/null", "q"];
    let sent = vhost.send(&words).input(input).run().expect(65);
    sent.says("line 2: its headers take 140011 bytes, more than a frame holds");
    assert_eq!(vhost.drain("q"), b"one\nthree\n");
}

#[test]
fn properties_and_typed_headers_arrive_as_they_were_given() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let words = [
        "-H",
        "text=a=b",
        "-H",
        "number:int=5000000000",
        "-H",
        "yes:bool=true",
        "-H",
        "half:float=2.5",
        "-H",
        "raw:bytes=AP8=",
        "-H",
        "when:timestamp=2026-11-22T10:00:00Z",
        "-H",
        r#"tree:json={"a":[1,null]}"#,
        "--content-type",
        "text/plain",
        "--content-encoding",
        "identity",
        "--type",
        "report",
        "--app-id",
        "cron",
        "--correlation-id",
        "c1",
        "--reply-to",
        "answers",
        "--priority",
        "3",
        "--expiration",
        "60s",
        "--message-id",
        "m1",
        "--timestamp",
        "-b",
        "x",
        "q",
    ];
    vhost.send(&words).run().expect(0);
    // By another client: what rmq-recv shows could be wrong in the same way.
    let seen = vhost.pika(
        "import time\n\
         m, p, b = channel.basic_get('q', auto_ack=True)\n\
         assert abs(p.timestamp - time.time()) < 120, p.timestamp\n\
         h = p.headers\n\
         print(h['text'], h['number'], h['yes'], h['half'], h['raw'], h['when'], h['tree'])\n\
         print(p.content_type, p.content_encoding, p.type, p.app_id, p.correlation_id,\n\
               p.reply_to, p.priority, p.expiration, p.message_id, p.delivery_mode)\n",
    );
    assert_eq!(
        String::from_utf8(seen).unwrap(),
        // pika cuts floating-point numbers off.
        "a=b 5000000000 True 2 b'\\x00\\xff' 2026-11-22 10:00:00 {'a': [1L, None]}\n\
         text/plain identity report cron c1 answers 3 60000 m1 2\n"
    );
    for (words, said) in [
        (["-H", "a"], "-H a: no '=' in it"),
        (["--expiration", "soon"], "--expiration soon: 'soon' is not a duration"),
        (["--expiration", "60"], "--expiration 60: write 60ms or 60s, whichever is meant"),
        (["--expiration", "50d"], "--expiration 50d: more than 49 days"),
        (["-Ha=1", "-Ha:int=2"], "-H a:int=2: the header a is given twice"),
        (["-H", "a:float=inf"], "-H a:float=inf: a float that is NaN or infinite"),
        (["--priority", "300"], "--priority 300"),
    ] {
        vhost.send(&words).arguments(&["q"]).run().expect(64).says(said);
    }
}

#[test]
fn automatic_ids_differ_and_a_record_keeps_the_id_it_brings() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    for _ in 0..2 {
        vhost.send(&["--message-id", "auto", "q"]).input("a\nb\n").run().expect(0);
    }
    let own = "{\"message_id\":\"mine\",\"body\":\"x\"}\n";
    vhost.send(&["--message-id=auto", "--format=json", "q"]).input(own).run().expect(0);
    let seen = vhost.pika(
        "while True:\n\
         \tm, p, b = channel.basic_get('q', auto_ack=True)\n\
         \tif m is None: break\n\
         \tprint(p.message_id)\n",
    );
    let text = String::from_utf8(seen).unwrap();
    let ids: BTreeSet<&str> = text.lines().collect();
    assert_eq!(ids.len(), 5, "{text}");
    assert!(ids.contains("mine"), "{text}");
}

#[test]
fn what_contradicts_itself_is_a_usage_error_before_anything_is_read() {
    let table: &[(&[&str], &str)] = &[
        (&[], "no destination: give QUEUE, --exchange or --routed"),
        (&["--routed"], "--routed requires --format json or --key-separator"),
        (&["--routed", "-e", "x", "-K", ":"], "--routed and --exchange"),
        (&["-r", "k", "q"], "--routing-key requires --exchange"),
        (&["-K", ":", "--format", "json", "q"], "--key-separator and --format json"),
        (&["-K", "", "q"], "--key-separator '': the separator is empty"),
        (&[""], "the queue's name is empty"),
        (&["-e", ""], "--exchange '' sends to the queue that --routing-key names, which is empty"),
        (&["-e", "", "-r", ""], "--exchange '' sends to the queue that --routing-key names"),
        (&["-0", "--format", "json", "q"], "--nul and another --format cannot be combined"),
        (&["--format", "xml", "q"], "not one of lines, nul, length, whole, json"),
        (&["-b", "x", "q", "file"], "--body cannot be combined with a file to read: file"),
        (&["--max-size", "1.5M", "q"], "'1.5M' is not a size"),
    ];
    for (words, said) in table {
        let ended = Tool::new("rmq-send").arguments(words).run().expect(64).says(said);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
}
