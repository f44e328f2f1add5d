//! Auto-delete queues whose reader loses its connection.

use rmq_tests::brokers;
use rmq_tests::text::{account, numbered};
use rmq_tests::tool::Ended;
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_until;
use rustix::process::Signal;
use std::io::Read;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);
const COUNT: usize = 20_000;

/// Drains the queue, loses the connection meanwhile, and returns everything that was written.
fn drained_with_a_lost_connection(vhost: &Vhost<'_>) -> (Ended, Vec<u8>) {
    let mut draining = vhost.receive(&["--drain", "q"]).output_to_pipe().start();
    let mut output = draining.take_output();
    // Some are acknowledged, some are in the pipe, and some are held.
    let mut text = vec![0; numbered(100).len()];
    output.read_exact(&mut text).unwrap();
    vhost.close_connection_of(draining.pid(), "test");
    output.read_to_end(&mut text).unwrap();
    (draining.wait(), text)
}

#[test]
fn what_was_held_when_the_connection_was_lost_comes_again_while_others_keep_the_queue() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--type", "classic", "--auto-delete"], "q");
    let keeping = vhost.receive(&["--prefetch", "1", "q", "--", "sleep", "60"]).start();
    let is_empty = || {
        let check = vhost.tool("rmq-declare").arguments(&["--check", "q"]).run();
        check.expect(0).stdout == b"q\t0\t1\n"
    };
    wait_until(SOON, "a consumer", is_empty);
    vhost.send(&["-b", "mine", "q"]).run().expect(0);
    wait_until(SOON, "its first message", is_empty);
    vhost.send(&["q"]).input(numbered(COUNT)).run().expect(0);
    let (draining, text) = drained_with_a_lost_connection(&vhost);
    draining.expect(0).says("lost the connection");
    assert_eq!(account(&text).missing(COUNT), Vec::<usize>::new());
    wait_until(SOON, "an empty queue", is_empty);
    keeping.signal(Signal::TERM);
    keeping.wait();
}

#[test]
fn a_queue_that_was_deleted_with_its_only_consumer_is_missing_and_not_drained() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--type", "classic", "--auto-delete"], "q");
    vhost.send(&["q"]).input(numbered(COUNT)).run().expect(0);
    let (draining, _) = drained_with_a_lost_connection(&vhost);
    draining.expect(65).says("no such queue");
}
