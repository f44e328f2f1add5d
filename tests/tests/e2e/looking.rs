//! Other ways to receive: tapping an exchange, peeking, starting at a place in a stream.

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
    // A message that is sent before the taps exist does not reach them.
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
    vhost
        .receive(&["-e", ""])
        .run()
        .expect(64)
        .says("--exchange: the default exchange cannot be tapped");
    vhost.receive(&["-r", "key", "q"]).run().expect(64).says("--routing-key requires --exchange");
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
fn peek_shows_messages_and_puts_them_back_where_they_were() {
    let kinds: [&[&str]; 4] =
        [&[], &["--delivery-limit", "30"], &["--type", "classic"], &["--type", "stream"]];
    for words in kinds {
        let vhost = with_queue(words, 5);
        for _ in 0..2 {
            let seen = vhost.receive(&["--peek", "3", "q"]).run().expect(0);
            assert_eq!(seen.stdout, numbered(3), "{words:?}: {}", seen.stderr);
        }
        let seen = vhost.receive(&["--peek", "100", "q"]).run().expect(0);
        assert_eq!(seen.stdout, numbered(5), "{words:?}: {}", seen.stderr);
    }
    let vhost = with_queue(&["--delivery-limit", "unlimited"], 5);
    vhost.receive(&["--peek", "3", "q"]).run().expect(0);
    let seen = vhost.receive(&["--peek", "100", "-f", "%s %R\n", "q"]).run().expect(0);
    let text = numbered(5);
    let flags = [1, 1, 1, 0, 0];
    let wanted = lines(&text).into_iter().zip(flags);
    let wanted: String =
        wanted.map(|(line, flag)| format!("{} {flag}\n", String::from_utf8_lossy(line))).collect();
    assert_eq!(String::from_utf8_lossy(&seen.stdout), wanted, "{}", seen.stderr);
    vhost
        .receive(&["--peek", "1", "--drain", "q"])
        .run()
        .expect(64)
        .says("--peek cannot be combined with");
    vhost.receive(&["--peek", "1", "nowhere"]).run().expect(65).says("no queue 'nowhere'");
    vhost.declare(&["--single-active-consumer"], "alone");
    vhost.receive(&["--peek", "1", "alone"]).run().expect(65).says("single active consumer");
}

/// The results of thirty consecutive peeks at the only message of `q`: how many show it, and the
/// messages of the last that did and of the last of all.
fn thirty_looks(vhost: &Vhost) -> (usize, String, String) {
    let looked = looks_until(vhost, 30);
    // A stream has no ready messages.
    if vhost.receive(&["-n", "1", "--idle", "2s", "q"]).run().status.code() != Some(0) {
        assert!(vhost.try_held("q").is_none(), "the message is gone");
    }
    looked
}

fn looks_until(vhost: &Vhost, count: usize) -> (usize, String, String) {
    let (mut shown, mut said, mut last) = (0, String::new(), String::new());
    for number in 0..count {
        let looked = vhost.receive(&["--peek", "1", "q"]).run();
        match looked.status.code() {
            Some(0) => {
                assert_eq!(looked.stdout, numbered(1), "look {number}: {}", looked.stderr);
                shown += 1;
                said = looked.stderr.clone();
            }
            Some(65) => assert_eq!(looked.stdout, b"", "look {number}: {}", looked.stderr),
            _ => panic!("look {number}: {}: {}", looked.status, looked.stderr),
        }
        last = looked.stderr;
    }
    (shown, said, last)
}

#[test]
fn whoever_looks_for_ever_destroys_nothing_and_is_refused_only_where_something_could_be() {
    let (old, new) = (brokers::release().starts_with("3."), brokers::release().starts_with("4.3"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (shown, said, last) = thirty_looks(&with_queue(&[], 1));
            if old {
                assert_eq!(shown, 30, "{last}");
                assert!(said.contains("the queue has no delivery limit of its own"), "{said}");
            } else if new {
                assert_eq!((shown, said), (30, String::new()), "{last}");
            } else {
                // Ten are shown and ten refused, then a copy replaces it, and nine are shown.
                assert_eq!(shown, 19, "{last}");
                assert!(said.contains("can be returned 11 more times"), "{said}");
                assert!(said.contains("after 20"), "{said}");
            }
        });
        scope.spawn(|| {
            let (shown, said, last) = thirty_looks(&with_queue(&["--delivery-limit", "3"], 1));
            if new {
                assert_eq!((shown, said), (30, String::new()), "{last}");
            } else {
                // Two are shown, one refused, a copy replaces it, and so on.
                assert_eq!(shown, 16, "{last}");
                assert!(said.contains("can be returned 1 more time,"), "{said}");
            }
        });
        scope.spawn(|| {
            let (shown, said, last) = thirty_looks(&with_queue(&["--type", "classic"], 1));
            assert_eq!((shown, said), (30, String::new()), "{last}");
        });
        scope.spawn(|| {
            let (shown, said, last) = thirty_looks(&with_queue(&["--type", "stream"], 1));
            assert_eq!((shown, said), (30, String::new()), "{last}");
        });
        scope.spawn(|| {
            // RabbitMQ 3.10 drops any message that comes back to such a queue.
            let vhost = with_queue(&[], 0);
            vhost.pika(
                "channel.queue_delete('q')\n\
                 a = {'x-queue-type': 'quorum', 'x-delivery-limit': -1, 'x-max-length': 9}\n\
                 channel.queue_declare('q', durable=True, arguments=a)",
            );
            vhost.send(&["q"]).input(numbered(1)).run().expect(0);
            let (shown, said, last) = thirty_looks(&vhost);
            if old {
                assert_eq!(shown, 0, "{last}");
                assert!(last.contains("nothing was taken"), "{last}");
            } else {
                assert_eq!(shown, 30, "{last}");
                assert_eq!(said.contains("no delivery limit"), !new, "{said}");
            }
        });
    });
}

#[test]
fn a_message_that_a_look_would_lose_gets_a_copy_in_its_place_with_all_that_it_carries() {
    if brokers::release().starts_with("4.3") {
        return;
    }
    let vhost = with_queue(&["--delivery-limit", "2"], 0);
    let words = ["-H", "try:int=1", "--message-id", "m", "--priority", "3", "q"];
    vhost.send(&words).input("one\n").run().expect(0);
    vhost.send(&["q"]).input("two\n").run().expect(0);
    vhost.receive(&["--peek", "1", "q"]).run().expect(0);
    vhost.receive(&["--peek", "1", "q"]).run().expect(65).says("this attempt counts too");
    let refused = vhost.receive(&["--peek", "1", "q"]).run().expect(65);
    refused.says("it was moved to the end of the queue");
    vhost.wait_held("q", Held::ready(2));
    let all = vhost.receive(&["--drain", "--format", "json", "q"]).run().expect(0).stdout;
    let all = String::from_utf8_lossy(&all);
    let (first, copy) = all.split_once('\n').unwrap();
    assert!(first.contains("\"two\""), "{first}");
    for part in ["\"one\"", "\"message_id\":\"m\"", "\"try\"", "\"priority\":3"] {
        assert!(copy.contains(part), "{part}: {copy}");
    }
}

#[test]
fn a_user_who_may_not_configure_can_look_and_hears_that_the_limit_is_not_known() {
    let vhost = with_queue(&[], 1);
    let reader = format!("{}-reader", vhost.name);
    vhost.add_user(&reader, ["", ".*", ".*"]);
    let url = vhost.url_for(&reader);
    let look = || vhost.receive(&["--url", &url, "--peek", "1", "q"]).run();
    let looked = look().expect(0);
    assert_eq!(looked.stdout, numbered(1));
    let knows = brokers::release().starts_with("4.3");
    assert_eq!(
        looked.stderr.contains("not known without the configure"),
        !knows,
        "{}",
        looked.stderr
    );
    if !knows {
        (1..10).for_each(|_| drop(look().expect(0)));
        look().expect(65).says("not known here");
    }
    vhost.wait_held("q", Held::ready(1));
    vhost.cluster.control(1, &["delete_user", &reader]);
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
    vhost.receive(&["--offset", "x", "q"]).run().expect(64).says("expected first, last, next");
}

#[test]
fn drain_of_a_stream_ends_with_its_last_message() {
    let vhost = with_queue(&["--type", "stream"], 0);
    let drained = |offset: &[&str]| {
        let words = [&["--drain"], offset, &["q"]].concat();
        vhost.receive(&words).run().expect(0).stdout
    };
    assert_eq!(drained(&["--offset", "first"]), b"");
    let text = numbered(3000);
    vhost.send(&["q"]).input(&text[..]).run().expect(0);
    assert!(drained(&["--offset", "first"]) == text);
    assert!(drained(&["--offset", "2990"]) == text[numbered(2990).len()..]);
    assert_eq!(drained(&["--offset", "next"]), b"");
    // It would receive nothing of what is there, and ends nevertheless.
    assert_eq!(drained(&[]), b"");
}
