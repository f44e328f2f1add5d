//! Connections without traffic: idle ones survive, and dead ones are noticed.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::proxy::Proxy;
use rmq_tests::running::Running;
use rmq_tests::text::{account, numbered};
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_until;
use rustix::process::Signal;
use std::io::Read;
use std::time::{Duration, Instant};

const HEARTBEAT: Duration = Duration::from_secs(2);

/// A vhost of the shared broker with the queue `q`.
fn vhost() -> Vhost<'static> {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    vhost
}

fn beating(url: &str) -> String {
    format!("{url}?heartbeat={}", HEARTBEAT.as_secs())
}

#[test]
fn heartbeats_go_on_while_standard_input_or_output_blocks() {
    let vhost = vhost();
    vhost.declare(&[], "idle");
    let text = numbered(5000);
    vhost.send(&["q"]).input(text.clone()).run().expect(0);
    let url = beating(&vhost.url());
    let mut sending = vhost.send(&["--url", &url, "idle"]).open_input().start();
    sending.write(b"one\n");
    // Held open and not read: the pipe is full after the first 64 KiB, and the write blocks.
    let mut receiving = vhost.receive(&["--quiet", "--url", &url, "q"]).output_to_pipe().start();
    let mut output = receiving.take_output();
    let mut waiting = vhost.receive(&["--url", &url, "idle"]).start();
    waiting.wait_stdout(4);
    let pids = [sending.pid(), receiving.pid(), waiting.pid()];
    let before = pids.map(|pid| vhost.connection_of(pid));
    for connection in &before {
        assert_eq!(connection.heartbeat, HEARTBEAT.as_secs().to_string());
    }
    // A broker that receives nothing closes the connection after two heartbeats.
    std::thread::sleep(HEARTBEAT * 7 / 2);
    assert_eq!(pids.map(|pid| vhost.connection_of(pid)), before);
    // And they can still be used.
    sending.write(b"two\n");
    waiting.wait_stdout(8);
    let mut came = vec![0; text.len()];
    output.read_exact(&mut came).unwrap();
    assert!(came == text, "not what was sent");
    assert!(waiting.is_running() && receiving.is_running());
    let sent = sending.finish().expect(0);
    for running in [receiving, waiting] {
        running.signal(Signal::TERM);
        assert_eq!(running.wait().expect_signal(Signal::TERM).stderr, "");
    }
    assert_eq!(sent.stderr, "");
}

/// Makes the proxy fall silent, and waits until the tool has noticed and has moved to `next`.
#[track_caller]
fn is_noticed(proxy: &Proxy, running: &Running, next: &str) {
    proxy.stall();
    let stalled = Instant::now();
    running.wait_stderr(&format!("lost the connection to {}: no heartbeat", proxy.address()));
    let took = stalled.elapsed();
    assert!(took < HEARTBEAT * 3 + Duration::from_secs(1), "noticed after {took:?}");
    running.wait_stderr(&format!("connected to {next}"));
}

#[test]
fn a_connection_that_dies_without_a_word_while_lines_are_sent_is_noticed_and_costs_none_of_them() {
    let vhost = vhost();
    let next = vhost.cluster.hosts();
    let proxy = Proxy::new(next, Duration::from_millis(1));
    let both = vhost.url().replace(next, &format!("{},{next}", proxy.address()));
    let count = 20_000;
    let text = numbered(count);
    let (first, second) = text.split_at(text.len() / 2);
    let mut sending = vhost.send(&["-v", "--url", &beating(&both), "q"]).open_input().start();
    sending.write(first);
    wait_until(Duration::from_secs(20), "some of them", || vhost.held("q").ready > 1000);
    sending.write(second);
    is_noticed(&proxy, &sending, next);
    let sent = sending.finish().expect(0);
    assert_eq!((sent.tally("read"), sent.tally("confirmed")), (count, count), "{}", sent.stderr);
    assert!(sent.tally("resent") > 0, "it was not hit in the middle: {}", sent.stderr);
    let account = account(&vhost.drain("q"));
    assert_eq!((account.missing(count), account.torn), (vec![], 0));
    assert!(account.duplicates() <= sent.tally("resent"), "{}", sent.stderr);
}

#[test]
fn a_connection_that_dies_without_a_word_while_lines_are_received_is_noticed_and_costs_none() {
    let vhost = vhost();
    let next = vhost.cluster.hosts();
    let proxy = Proxy::new(next, Duration::from_millis(5));
    let both = vhost.url().replace(next, &format!("{},{next}", proxy.address()));
    let count = 20_000;
    vhost.send(&["q"]).input(numbered(count)).run().expect(0);
    let receiving = vhost.receive(&["-v", "--url", &beating(&both), "q"]).start();
    receiving.wait_stdout(numbered(1000).len());
    is_noticed(&proxy, &receiving, next);
    assert_eq!(proxy.connections(), 1);
    let empty = Held { consumers: 1, ..Held::default() };
    vhost.wait_held("q", empty);
    receiving.signal(Signal::TERM);
    let received = receiving.wait().expect_signal(Signal::TERM);
    assert!(received.tally("redelivered") > 0, "it was not hit in the middle");
    let account = account(&received.stdout);
    assert_eq!((account.missing(count), account.torn), (vec![], 0), "{}", received.stderr);
}
