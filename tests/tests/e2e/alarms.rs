//! A broker short of memory, which blocks publishers.

use rmq_tests::brokers;
use rmq_tests::cluster::Cluster;
use rmq_tests::observe::Held;
use rmq_tests::running::Running;
use rmq_tests::text::lines;
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_until;
use rustix::process::Signal;
use std::fs;
use std::time::{Duration, Instant};

const BLOCKED: &str = "rmq-send: the broker blocks publishing (low on memory); waiting\n";

/// A memory alarm, cleared when this is dropped.
struct Alarm<'a>(&'a Cluster);

impl<'a> Alarm<'a> {
    fn raise(cluster: &'a Cluster) -> Self {
        // With the broker's own tool, as operators do it; any amount is too much now.
        cluster.control(1, &["set_vm_memory_high_watermark", "0.0000001"]);
        Alarm(cluster)
    }
}

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        self.0.control(1, &["set_vm_memory_high_watermark", "0.4"]);
    }
}

/// An rmq-send that has sent a line.
fn sending(vhost: &Vhost<'_>, words: &[&str], queue: &str) -> Running {
    vhost.declare(&[], queue);
    let mut sending = vhost.send(words).arguments(&[queue]).open_input().start();
    sending.write(b"one\n");
    vhost.wait_held(queue, Held::ready(1));
    sending
}

#[test]
fn a_memory_alarm_is_told_at_once_and_its_end_too_and_nothing_is_lost() {
    let cluster = brokers::one_to_break();
    let vhost = Vhost::new(&cluster);
    let mut loud = sending(&vhost, &[], "loud");
    let mut quiet = sending(&vhost, &["--quiet"], "quiet");
    let alarm = Alarm::raise(&cluster);
    // The broker notifies publishers.
    for sending in [&mut loud, &mut quiet] {
        sending.write(b"two\n");
    }
    let published = Instant::now();
    loud.wait_stderr(BLOCKED);
    assert!(published.elapsed() < Duration::from_secs(2), "{:?}", published.elapsed());
    for sending in [&mut loud, &mut quiet] {
        sending.write(b"three\nfour\n");
    }
    quiet.end_input();
    // What the broker had not taken waits.
    assert!(vhost.held("loud").ready <= 2 && vhost.held("quiet").ready <= 2);
    assert!(loud.is_running() && quiet.is_running());
    drop(alarm);
    // At its end it would not wait for the notification.
    let again = format!("{BLOCKED}rmq-send: the broker accepts messages again\n");
    loud.wait_stderr(&again);
    loud.end_input();
    assert_eq!(loud.wait().expect(0).stderr, again);
    assert_eq!(quiet.wait().expect(0).stderr, "");
    for queue in ["loud", "quiet"] {
        assert_eq!(vhost.drain(queue), b"one\ntwo\nthree\nfour\n");
    }
}

#[test]
fn a_signal_while_the_broker_blocks_ends_it_in_time_and_says_what_is_unconfirmed() {
    let cluster = brokers::one_to_break();
    let vhost = Vhost::new(&cluster);
    let mut sending = sending(&vhost, &[], "q");
    let alarm = Alarm::raise(&cluster);
    sending.write(b"two\n");
    sending.wait_stderr(BLOCKED);
    sending.write(b"three\nfour\n");
    // A signal stops the reading, too.
    sending.signal(Signal::USR1);
    wait_until(Duration::from_secs(20), "four lines are read", || {
        let has_read = sending.stderr().contains("read 4, ");
        if !has_read {
            sending.signal(Signal::USR1);
        }
        has_read
    });
    let signalled = Instant::now();
    sending.signal(Signal::TERM);
    let sent = sending.wait().expect(75);
    let took = signalled.elapsed();
    assert!(took < Duration::from_secs(14), "{took:?}");
    drop(alarm);
    let sent = sent.says("stopped by a signal before everything was confirmed; confirmed 1");
    let sent = sent.says("sent but not confirmed ").says("-4\n");
    // What it says is unconfirmed may be there; what it says is confirmed must be.
    let confirmed = sent.tally("confirmed");
    assert_eq!((sent.tally("read"), sent.tally("unknown")), (4, 4 - confirmed));
    let there = vhost.drain("q");
    assert!(b"one\ntwo\nthree\nfour\n".starts_with(&there), "{there:?}");
    assert!(lines(&there).len() >= confirmed, "{there:?}");
}

#[test]
fn a_broker_that_blocks_for_ever_is_given_up_and_everything_unconfirmed_is_kept() {
    let cluster = brokers::one_to_break();
    let vhost = Vhost::new(&cluster);
    let directory = tempfile::tempdir().unwrap();
    let rejects = directory.path().join("rejects");
    let words = ["--retry", "1s", "--rejects", rejects.to_str().unwrap()];
    let mut sending = sending(&vhost, &words, "q");
    let alarm = Alarm::raise(&cluster);
    sending.write(b"two\n");
    sending.wait_stderr(BLOCKED);
    sending.write(b"three\nfour\n");
    let blocked = Instant::now();
    let sent = sending.wait().expect(75);
    assert!(blocked.elapsed() < Duration::from_secs(8), "{:?}", blocked.elapsed());
    let sent =
        sent.says("the broker has blocked the connection (memory alarm) (--retry 1s); confirmed 1");
    let sent = sent.says(rejects.to_str().unwrap());
    drop(alarm);
    let (confirmed, kept) = (sent.tally("confirmed"), fs::read(rejects).unwrap());
    assert!(b"one\ntwo\nthree\nfour\n".ends_with(&kept), "{kept:?}");
    assert_eq!(confirmed + lines(&kept).len(), 4);
    let there = vhost.drain("q");
    assert!(lines(&there).len() >= confirmed, "{there:?}");
}
