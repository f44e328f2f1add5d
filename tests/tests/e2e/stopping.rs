//! How rmq-recv ends: when it has what was asked for, when nobody reads, when told to.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::text::{account, lines, numbered, numbers};
use rmq_tests::tool::Tool;
use rmq_tests::vhost::Vhost;
use rustix::process::Signal;
use std::io::Read;
use std::time::{Duration, Instant};

#[test]
fn n_takes_exactly_n() {
    let vhost = Vhost::filled(brokers::one(), 1000);
    let mut left = 1000;
    for number in [1, 2, 3, 100, 333] {
        let received = vhost.receive(&["-n", &number.to_string(), "q"]).run().expect(0);
        let before = 1000 - left;
        let wanted: Vec<usize> = (before..before + number).collect();
        assert_eq!(numbers(&received.stdout), wanted, "-n {number}");
        left -= number;
        vhost.wait_held("q", Held::ready(left));
    }
    // Nothing was ever taken that was not asked for, so nothing comes a second time.
    let rest = vhost.receive(&["-v", "--drain", "q"]).run().expect(0);
    assert_eq!(rest.tally("redelivered"), 0, "{}", rest.stderr);
    assert_eq!(lines(&rest.stdout).len(), left);
}

#[test]
fn n_acknowledges_messages_that_come_one_by_one_as_they_come() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let mut sending = vhost.send(&["q"]).open_input().start();
    let receiving = vhost.receive(&["-v", "-n", "40", "q"]).start();
    let text = numbered(40);
    let mut written = 0;
    for line in lines(&text) {
        sending.write(&[line, b"\n"].concat());
        written += line.len() + 1;
        receiving.wait_stdout(written);
        if written < text.len() {
            vhost.wait_held("q", Held { consumers: 1, ..Held::default() });
        }
    }
    let received = receiving.wait().expect(0);
    assert_eq!((received.stdout, sending.finish().expect(0).stdout), (text, vec![]));
    vhost.wait_held("q", Held::ready(0));
}

#[test]
fn n_with_drain_says_with_1_that_there_were_fewer() {
    let vhost = Vhost::filled(brokers::one(), 5);
    let received = vhost.receive(&["-n", "6", "--drain", "q"]).run().expect(1);
    assert_eq!(received.stdout, numbered(5));
    vhost.wait_held("q", Held::ready(0));
}

#[test]
fn drain_of_an_empty_queue_is_0_and_quick() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let received = vhost.receive(&["--drain", "q"]).run().expect(0);
    assert!(received.stdout.is_empty());
    assert!(received.took < Duration::from_secs(5), "{:?}", received.took);
    vhost.wait_no_connections();
}

#[test]
fn idle_stops_when_nothing_has_come_for_so_long() {
    let vhost = Vhost::filled(brokers::one(), 5);
    let received = vhost.receive(&["--idle", "300ms", "q"]).run().expect(0);
    assert_eq!(received.stdout, numbered(5));
    assert!(received.took >= Duration::from_millis(300), "{:?}", received.took);
    vhost.wait_held("q", Held::ready(0));
    vhost.receive(&["--idle", "100ms", "-n", "1", "q"]).run().expect(1);
    // While messages come, it continues.
    let mut sending = vhost.send(&["q"]).open_input().start();
    let receiving = vhost.receive(&["--idle", "2s", "-n", "8", "q"]).start();
    for _ in 0..8 {
        std::thread::sleep(Duration::from_millis(400));
        sending.write(b"x\n");
    }
    receiving.wait().expect(0);
}

#[test]
fn timeout_stops_whatever_comes() {
    let vhost = Vhost::filled(brokers::one(), 5);
    let received = vhost.receive(&["--timeout", "500ms", "q"]).run().expect(0);
    assert_eq!(received.stdout, numbered(5));
    assert!(received.took >= Duration::from_millis(500), "{:?}", received.took);
    vhost.wait_held("q", Held::ready(0));
    vhost.receive(&["--timeout", "100ms", "-n", "1", "q"]).run().expect(1);
    vhost.receive(&["--timeout", "30s", "--idle", "30s", "--drain", "q"]).run().expect(0);
    // A reader that pauses does not keep it.
    vhost.send(&["q"]).input(vec![b'x'; 1 << 20]).run().expect(0);
    let mut receiving = vhost.receive(&["--timeout", "500ms", "q"]).output_to_pipe().start();
    let unread = receiving.take_output();
    receiving.wait().expect(0);
    drop(unread);
    vhost.wait_held("q", Held::ready(1));
}

#[test]
fn a_reader_that_has_enough_ends_it_with_0_and_the_rest_is_back() {
    let vhost = Vhost::filled(brokers::one(), 5000);
    let mut receiving = vhost.receive(&["q"]).output_to_pipe().start();
    let head = Tool::program("head").arguments(&["-1"]).input_from(receiving.take_output());
    let head = head.run().expect(0);
    assert_eq!(lines(&head.stdout), lines(&numbered(1)));
    receiving.wait().expect(0);
    vhost.wait_no_connections();
    let held = vhost.held("q");
    assert_eq!((held.unacked, held.consumers), (0, 0));
    eprintln!("{held:?} after head");
    // What a pipe and head's own buffer hold may be gone with them, and no more than that.
    let in_between = (64 << 10) / (numbered(5000).len() / 5000);
    assert!((5000 - in_between..=5000).contains(&held.ready), "{held:?}");
}

#[test]
fn a_reader_that_goes_away_while_the_queue_is_idle_ends_it_with_0() {
    let vhost = Vhost::filled(brokers::one(), 1);
    let mut receiving = vhost.receive(&["q"]).output_to_pipe().start();
    let mut output = receiving.take_output();
    let mut line = vec![0; numbered(1).len()];
    output.read_exact(&mut line).unwrap();
    vhost.wait_held("q", Held { consumers: 1, ..Held::default() });
    drop(output);
    let gone = Instant::now();
    receiving.wait().expect(0);
    assert!(gone.elapsed() < Duration::from_secs(5), "{:?}", gone.elapsed());
    vhost.wait_held("q", Held::ready(0));
}

#[test]
fn a_signal_ends_it_by_that_signal_and_nothing_is_lost() {
    for signal in [Signal::INT, Signal::TERM] {
        let count = 20_000;
        let vhost = Vhost::filled(brokers::one(), count);
        let receiving = vhost.receive(&["q"]).start();
        receiving.wait_stdout(1);
        receiving.signal(signal);
        let received = receiving.wait().expect_signal(signal);
        vhost.wait_no_connections();
        let held = vhost.held("q");
        assert_eq!((held.unacked, held.consumers), (0, 0), "{signal:?}");
        let first = account(&received.stdout);
        assert_eq!((first.torn, first.duplicates()), (0, 0), "{signal:?}");
        // What was written is acknowledged, so nothing comes twice.
        assert_eq!(first.total() + held.ready, count, "{signal:?}");
        let both = account(&[received.stdout, vhost.drain("q")].concat());
        assert_eq!((both.missing(count), both.duplicates()), (vec![], 0), "{signal:?}");
    }
}

#[test]
fn a_signal_while_the_reader_pauses_ends_it_all_the_same() {
    let vhost = Vhost::filled(brokers::one(), 5000);
    let mut receiving = vhost.receive(&["q"]).output_to_pipe().start();
    // Held open and not read: the pipe fills up, and the write waits.
    let mut output = receiving.take_output();
    let mut first = [0];
    output.read_exact(&mut first).unwrap();
    receiving.signal(Signal::TERM);
    let signalled = Instant::now();
    receiving.wait().expect_signal(Signal::TERM);
    assert!(signalled.elapsed() < Duration::from_secs(10), "{:?}", signalled.elapsed());
    vhost.wait_no_connections();
    let held = vhost.held("q");
    let mut text = first.to_vec();
    output.read_to_end(&mut text).unwrap();
    // What is in the pipe may come again; nothing else may.
    let got = account(&text);
    assert_eq!((held.unacked, held.consumers), (0, 0));
    let all = account(&[text, vhost.drain("q")].concat());
    assert_eq!(all.missing(5000), []);
    assert!(got.total() + held.ready >= 5000, "{} and {held:?}", got.total());
}

#[test]
fn a_queue_deleted_while_it_receives_is_65() {
    let vhost = Vhost::filled(brokers::one(), 3);
    let receiving = vhost.receive(&["q"]).start();
    receiving.wait_stdout(numbered(3).len());
    vhost.delete("q");
    receiving.wait().expect(65).says("receive from q: no such queue");
    vhost.wait_no_connections();
}
