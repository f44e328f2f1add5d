//! Other ways to receive: a tap on an exchange, a look that puts back, a place in a stream.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::text::{lines, numbered};
use rmq_tests::vhost::Vhost;

fn with_queue(words: &[&str], count: usize) -> Vhost<'static> {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(words, "q");
    if count > 0 {
        vhost.send(&["q"]).input(numbered(count)).run().expect(0);
    }
    vhost
}

#[test]
fn a_tap_gets_what_goes_through_an_exchange_and_leaves_nothing_behind() {
    let vhost = with_queue(&[], 0);
    let all = vhost.receive(&["-e", "amq.topic", "-n", "2"]).start();
    let words = ["-e", "amq.topic", "-r", "a.*", "-r", "b.#", "-n", "1", "-f", "%e/%r %s\\n"];
    let some = vhost.receive(&words).start();
    vhost.connection_of(all.pid());
    vhost.connection_of(some.pid());
    // A message that goes before the taps are there is none of theirs.
    for running in [&all, &some] {
        let publish = || {
            for key in ["c", "b"] {
                let words = ["--allow-unroutable", "-e", "amq.topic", "-r", key, "-b", key];
                vhost.send(&words).run().expect(0);
            }
        };
        while running.stdout().is_empty() {
            publish();
        }
    }
    let got = all.wait().expect(0).stdout;
    assert!([b"c\nb\n", b"b\nc\n"].contains(&&got[..4].try_into().unwrap()), "{got:?}");
    assert_eq!(some.wait().expect(0).stdout, b"amq.topic/b b\n");
    vhost.wait_no_connections();
    let queues = vhost.cluster.erlang(&format!(
        "io_lib:format(\"~w\", [length(rabbit_amqqueue:list(<<\"{}\">>))])",
        vhost.name
    ));
    assert_eq!(queues, "1");
    vhost.receive(&["-e", "nowhere"]).run().expect(65).says("no such exchange");
    vhost.receive(&["-r", "key", "q"]).run().expect(64).says("goes with --exchange");
}

#[test]
fn a_tap_that_loses_its_connection_says_that_messages_may_be_missing() {
    let vhost = with_queue(&[], 0);
    let tapping = vhost.receive(&["-e", "amq.fanout", "-n", "1"]).start();
    let pid = tapping.pid();
    vhost.close_connection_of(pid, "test");
    tapping.wait_stderr("messages of amq.fanout may have been missed");
    while tapping.stdout().is_empty() {
        vhost.send(&["--allow-unroutable", "-e", "amq.fanout"]).input("x\n").run().expect(0);
    }
    tapping.wait().expect(0);
}

#[test]
fn peek_shows_messages_and_puts_them_back() {
    let vhost = with_queue(&["--delivery-limit", "unlimited"], 5);
    let seen = vhost.receive(&["--peek", "3", "q"]).run().expect(0);
    assert_eq!(seen.stdout, numbered(3));
    vhost.wait_held("q", Held::ready(5));
    vhost.wait_no_connections();
    let seen = vhost.receive(&["--peek", "100", "-f", "%R", "q"]).run().expect(0);
    // RabbitMQ 3.10 may put them behind the others.
    let mut seen = seen.stdout;
    seen.sort_unstable();
    assert_eq!(seen, b"00111");
    vhost.receive(&["--peek", "1", "--drain", "q"]).run().expect(64).says("puts everything back");
    vhost.receive(&["--peek", "1", "nowhere"]).run().expect(65).says("no queue 'nowhere'");
}

#[test]
fn peek_refuses_a_message_that_was_looked_at_ten_times() {
    let vhost = with_queue(&["--delivery-limit", "unlimited"], 1);
    for _ in 0..10 {
        vhost.receive(&["--peek", "1", "q"]).run().expect(0);
    }
    if brokers::release().starts_with("4.3") {
        // There a look costs a message nothing.
        vhost.receive(&["--peek", "1", "q"]).run().expect(0);
        vhost.wait_held("q", Held::ready(1));
        return;
    }
    let refused = vhost.receive(&["--peek", "1", "q"]).run().expect(65);
    refused.says("has come back 10 times");
    vhost.wait_held("q", Held::ready(1));
    // Receiving it warns, and goes on.
    vhost.receive(&["-n", "1", "q"]).run().expect(0).says("was delivered 12 times");
    vhost.wait_held("q", Held::ready(0));
}

#[test]
fn a_stream_is_read_from_where_it_is_asked_to_and_goes_on_after_the_last() {
    let vhost = with_queue(&["--type", "stream"], 500);
    let number = |words: &[&str]| {
        let received = vhost.receive(words).arguments(&["-n", "3", "q"]).run().expect(0);
        lines(&received.stdout).iter().map(|line| line.to_vec()).collect::<Vec<_>>()
    };
    let text = numbered(500);
    let all = lines(&text);
    assert_eq!(number(&["--offset", "first"]), all[..3]);
    assert_eq!(number(&["--offset", "123"]), all[123..126]);
    let words = ["--offset", "first", "--idle", "500ms", "-f", "%o\\n", "q"];
    let offsets = vhost.receive(&words).run().expect(0).stdout;
    let wanted: String = (0..500).map(|offset| format!("{offset}\n")).collect();
    assert_eq!(String::from_utf8(offsets).unwrap(), wanted);
    let receiving = vhost.receive(&["--offset", "0", "-n", "700", "q"]).start();
    receiving.wait_stdout(text.len());
    vhost.close_connection_of(receiving.pid(), "test");
    vhost.send(&["q"]).input(numbered(200)).run().expect(0);
    let received = receiving.wait().expect(0);
    assert!(received.stdout == [text, numbered(200)].concat());
    vhost.receive(&["--offset", "x", "q"]).run().expect(64).says("neither first, last, next");
    vhost.receive(&["--offset", "0", "--drain", "q"]).run().expect(64).says("--idle");
}
