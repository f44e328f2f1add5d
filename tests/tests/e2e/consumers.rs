//! What a queue does with its consumers: one that is deleted with its last, one that has a single
//! active one. Reading must not delete the first, nor hand the second to another client.

mod auto_delete;

use rmq_tests::brokers;
use rmq_tests::text::{account, lines, numbered, numbers};
use rmq_tests::tool::Ended;
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::{wait_equal, wait_until};
use rustix::process::Signal;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);
const COUNT: usize = 3000;

/// How many consumers a queue has, including those that wait for their turn.
fn consumers(vhost: &Vhost<'_>, queue: &str) -> usize {
    let name = &vhost.name;
    let text = vhost.cluster.erlang(&format!(
        "begin {{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<\"{name}\">>, queue, \
         <<\"{queue}\">>)), integer_to_list(length(rabbit_amqqueue:consumers(Q))) end"
    ));
    text.parse().unwrap()
}

fn wait_consumers(vhost: &Vhost<'_>, queue: &str, count: usize) {
    wait_equal(SOON, &count, || consumers(vhost, queue));
}

/// The lines from `from` to before `to` of [`numbered`].
fn part(from: usize, to: usize) -> Vec<u8> {
    let all = numbered(to);
    all[numbered(from).len()..].to_vec()
}

fn check(vhost: &Vhost<'_>, queue: &str) -> Ended {
    vhost.tool("rmq-declare").arguments(&["--check", queue]).run()
}

#[test]
fn an_auto_delete_queue_is_not_deleted_while_it_is_read() {
    let vhost = Vhost::new(brokers::one());
    let runs: [(&[&str], usize); 11] = [
        (&["--drain"], COUNT),
        (&["--drain", "--prefetch", "7"], COUNT),
        (&["--drain", "--prefetch-bytes", "500"], COUNT),
        (&["--drain", "--ack", "written"], COUNT),
        (&["-n", "3000"], COUNT),
        (&["-n", "2999"], 2999),
        (&["-n", "2"], 2),
        (&["-n", "1"], 1),
        (&["--idle", "1s"], COUNT),
        (&["--timeout", "6s"], COUNT),
        (&["--drain", "--prefetch", "1"], COUNT),
    ];
    let mut running = Vec::new();
    for (index, (words, wanted)) in runs.iter().enumerate() {
        let queue = format!("q{index}");
        vhost.declare(&["--type", "classic", "--auto-delete"], &queue);
        vhost.send(&[&queue]).input(numbered(COUNT)).run().expect(0);
        let receiving = vhost.receive(words).arguments(&[&queue]).start();
        running.push((receiving, queue, *wanted));
    }
    for (receiving, queue, wanted) in running {
        let received = receiving.wait().expect(0);
        let count = lines(&received.stdout).len();
        assert!(received.stdout == numbered(wanted), "{}: {count}", received.command);
        assert_eq!(received.stderr, "", "{}", received.command);
        // It is deleted with its last consumer, which is not an error.
        check(&vhost, &queue).expect(1);
    }
}

#[test]
fn what_fails_is_dead_lettered_up_to_the_last_message_of_an_auto_delete_queue() {
    let vhost = Vhost::new(brokers::one());
    let cases = [
        (&["-n", "6"][..], 6),
        (&["-n", "5", "-j", "8"], 5),
        (&["-n", "1"], 1),
        (&["--drain"], 6),
        (&["--drain", "-j", "8"], 6),
        (&["--idle", "300ms"], 6),
    ];
    for (index, (words, count)) in cases.into_iter().enumerate() {
        let (queue, dead) = (format!("q{index}"), format!("q{index}.dead"));
        vhost.declare(&["--type", "classic"], &dead);
        let letters = ["--dead-letter-exchange", "", "--dead-letter-key", &dead];
        vhost.declare(&[&["--type", "classic", "--auto-delete"], &letters[..]].concat(), &queue);
        vhost.send(&[&queue]).input(numbered(6)).run().expect(0);
        let fails = ["--quiet", "--on-failure", "dead-letter", &queue, "--", "false"];
        vhost.receive(words).arguments(&fails).run().expect(0);
        wait_count(&vhost, &dead, count);
        check(&vhost, &queue).expect(1);
    }
}

/// Waits until a queue of any type reports this many ready messages.
fn wait_count(vhost: &Vhost<'_>, queue: &str, count: usize) {
    wait_equal(SOON, &count, || {
        let line = String::from_utf8(check(vhost, queue).stdout).unwrap();
        line.split('\t').nth(1).unwrap().parse().unwrap()
    });
}

#[test]
fn where_others_keep_an_auto_delete_queue_n_takes_no_more_than_it_says() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--type", "classic"], "dead");
    let letters = ["--dead-letter-exchange", "", "--dead-letter-key", "dead"];
    vhost.declare(&[&["--type", "classic", "--auto-delete"], &letters[..]].concat(), "q");
    // It has its first message, and asks for no other.
    let other = vhost.receive(&["--prefetch", "1", "q", "--", "sleep", "60"]).start();
    wait_consumers(&vhost, "q", 1);
    vhost.send(&["q"]).input(numbered(6)).run().expect(0);
    wait_count(&vhost, "q", 5);
    let fails = ["--quiet", "-n", "3", "--on-failure", "dead-letter", "q", "--", "false"];
    vhost.receive(&fails).run().expect(0);
    wait_count(&vhost, "dead", 3);
    wait_count(&vhost, "q", 2);
    let envelopes = vhost.receive(&["-n", "2", "--format", "json", "q"]).run().expect(0).stdout;
    let envelopes = String::from_utf8(envelopes).unwrap();
    assert!(!envelopes.contains("redelivered\":true"), "{envelopes}");
    other.signal(Signal::TERM);
    other.wait().expect_signal(Signal::TERM);
}

#[test]
fn an_auto_delete_queue_outlives_what_its_commands_and_signals_do() {
    let vhost = Vhost::new(brokers::one());
    let fill = |queue: &str, count: usize| {
        vhost.declare(&["--type", "classic", "--auto-delete"], queue);
        vhost.send(&[queue]).input(numbered(count)).run().expect(0);
    };
    fill("a", 60);
    let directory = tempfile::tempdir().unwrap();
    let tried = directory.path().join("tried");
    // One is put back once, and is delivered again.
    let script = format!(
        "read -r line; case $line in *:3:*) mkdir {0} 2>/dev/null && exit 75;; esac; \
         printf '%s\\n' \"$line\"",
        tried.display()
    );
    let words = ["--drain", "-j", "8", "a", "--", "sh", "-c", &script];
    let received = vhost.receive(&words).run().expect(0);
    let account = account(&received.stdout);
    assert_eq!((account.missing(60), account.duplicates()), (vec![], 0));
    fill("b", COUNT);
    let receiving = vhost.receive(&["b"]).start();
    receiving.wait_stdout(numbered(COUNT).len());
    vhost.send(&["b"]).input(numbered(5)).run().expect(0);
    receiving.wait_stdout(numbered(COUNT).len() + numbered(5).len());
    receiving.signal(Signal::TERM);
    receiving.wait().expect_signal(Signal::TERM);
}

#[test]
fn the_first_of_two_receivers_of_a_single_active_consumer_queue_gets_everything_until_it_ends() {
    let vhost = Vhost::new(brokers::one());
    for kind in ["classic", "quorum"] {
        for words in [&["-v"][..], &["--prefetch-bytes", "500"], &["--prefetch", "20"]] {
            vhost.declare(&["--type", kind, "--single-active-consumer"], "q");
            vhost.send(&["q"]).input(numbered(COUNT)).run().expect(0);
            let first = vhost.receive(words).arguments(&["q"]).start();
            // By then it has its full prefetch.
            first.wait_stdout(numbered(100).len());
            let second = vhost.receive(&["q"]).start();
            first.wait_stdout(numbered(COUNT).len());
            vhost.send(&["q"]).input(part(COUNT, COUNT + 500)).run().expect(0);
            first.wait_stdout(numbered(COUNT + 500).len());
            assert_eq!(second.stdout(), b"", "{kind} {words:?}");
            first.signal(Signal::TERM);
            let first = first.wait().expect_signal(Signal::TERM);
            assert!(first.stdout == numbered(COUNT + 500), "{kind} {words:?}: {}", first.stderr);
            let rest = part(COUNT + 500, COUNT + 900);
            vhost.send(&["q"]).input(&rest[..]).run().expect(0);
            second.wait_stdout(rest.len());
            second.signal(Signal::TERM);
            assert!(second.wait().expect_signal(Signal::TERM).stdout == rest, "{kind} {words:?}");
            vhost.delete("q");
        }
    }
}

#[test]
fn a_single_active_consumer_keeps_its_role_when_large_messages_lower_its_prefetch() {
    let vhost = Vhost::new(brokers::one());
    let large: Vec<u8> = (0..400)
        .flat_map(|number| format!("{number} {}\n", "x".repeat(5000)).into_bytes())
        .collect();
    for kind in ["classic", "quorum"] {
        vhost.declare(&["--type", kind, "--single-active-consumer"], "q");
        vhost.send(&["q"]).input(numbered(50)).run().expect(0);
        let first = vhost.receive(&["--prefetch-bytes", "100K", "q"]).start();
        first.wait_stdout(numbered(50).len());
        let before = consumers(&vhost, "q");
        let second = vhost.receive(&["q"]).start();
        wait_until(SOON, "a second receiver", || consumers(&vhost, "q") > before);
        vhost.send(&["q"]).input(&large[..]).run().expect(0);
        first.wait_stdout(numbered(50).len() + large.len());
        assert_eq!(second.stdout(), b"", "{kind}");
        first.signal(Signal::TERM);
        let first = first.wait().expect_signal(Signal::TERM);
        assert!(first.stdout == [numbered(50), large.clone()].concat(), "{kind}");
        vhost.send(&["q"]).input(numbered(20)).run().expect(0);
        second.wait_stdout(numbered(20).len());
        second.signal(Signal::TERM);
        // Nothing that the first had written is delivered a second time.
        assert!(second.wait().expect_signal(Signal::TERM).stdout == numbered(20), "{kind}");
        vhost.delete("q");
    }
}

#[test]
fn n_of_a_single_active_consumer_queue_takes_its_n_in_order_while_another_waits() {
    let vhost = Vhost::new(brokers::one());
    for kind in ["classic", "quorum"] {
        vhost.declare(&["--type", kind, "--single-active-consumer"], "q");
        vhost.send(&["q"]).input(numbered(50)).run().expect(0);
        let first = vhost.receive(&["-n", "1000", "q"]).start();
        first.wait_stdout(numbered(50).len());
        let before = consumers(&vhost, "q");
        let second = vhost.receive(&["-v", "q"]).start();
        wait_until(SOON, "a second receiver", || consumers(&vhost, "q") > before);
        vhost.send(&["q"]).input(part(50, 1500)).run().expect(0);
        let first = first.wait().expect(0);
        assert!(first.stdout == numbered(1000), "{kind}");
        second.wait_stdout(part(1000, 1500).len());
        second.signal(Signal::TERM);
        let second = second.wait().expect_signal(Signal::TERM);
        assert!(second.stdout == part(1000, 1500), "{kind}");
        assert_eq!(second.tally("redelivered"), 0, "{kind}: {}", second.stderr);
        vhost.delete("q");
    }
}

#[test]
fn two_receivers_that_begin_at_once_keep_the_order() {
    let vhost = Vhost::new(brokers::one());
    for kind in ["classic", "quorum"] {
        vhost.declare(&["--type", kind, "--single-active-consumer"], "q");
        vhost.send(&["q"]).input(numbered(600)).run().expect(0);
        let both = [0; 2].map(|_| vhost.receive(&["--drain", "q"]).start());
        let both = both.map(|receiving| numbers(&receiving.wait().expect(0).stdout));
        let mut all = both.concat();
        for (index, one) in both.iter().enumerate() {
            assert!(one.is_sorted(), "{kind} {index}: {one:?}");
        }
        all.sort_unstable();
        assert_eq!(all, (0..600).collect::<Vec<_>>(), "{kind}");
        vhost.delete("q");
    }
}

#[test]
fn a_standby_with_drain_says_what_it_waits_for_and_ends_when_nothing_is_left() {
    let vhost = Vhost::new(brokers::one());
    for kind in ["classic", "quorum"] {
        vhost.declare(&["--type", kind, "--single-active-consumer"], "q");
        vhost.send(&["q"]).input(numbered(50)).run().expect(0);
        // Nothing reads its output, so it holds the first message and takes no more.
        let mut first = vhost.receive(&["--prefetch", "10", "q"]).output_to_pipe().start();
        let unread = first.take_output();
        wait_consumers(&vhost, "q", 1);
        let second = vhost.receive(&["--drain", "q"]).start();
        second.wait_stderr("this consumer is given none (another is the active one?); waiting");
        assert_eq!(second.stdout(), b"", "{kind}");
        drop(unread);
        first.wait().expect(0);
        let second = second.wait().expect(0);
        // RabbitMQ 3.10 puts messages that come back to a quorum queue after the others.
        assert_eq!(account(&second.stdout).missing(50), [], "{kind}");
        assert_eq!(lines(second.stderr.as_bytes()).len(), 1, "{}", second.stderr);
        vhost.delete("q");
        // If there is nothing for it, it ends at once.
        vhost.declare(&["--type", kind, "--single-active-consumer"], "q");
        let first = vhost.receive(&["q"]).start();
        wait_consumers(&vhost, "q", 1);
        let second = vhost.receive(&["--drain", "q"]).run().expect(0);
        assert!(second.took < Duration::from_secs(5), "{:?}", second.took);
        first.signal(Signal::TERM);
        first.wait().expect_signal(Signal::TERM);
        vhost.delete("q");
    }
}
