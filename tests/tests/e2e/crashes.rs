//! rmq-recv, killed without warning.

use rmq_tests::brokers;
use rmq_tests::cluster::Cluster;
use rmq_tests::observe::Held;
use rmq_tests::scale::{random, scale};
use rmq_tests::text::{account, numbered};
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_until;
use rustix::process::Signal;
use std::fs::{self, OpenOptions};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(180);

#[test]
fn killed_at_random_moments_it_loses_nothing() {
    loses_nothing(brokers::one(), "killed at random");
}

#[test]
fn killed_at_random_moments_it_loses_nothing_on_release_4_without_a_delivery_limit() {
    loses_nothing(brokers::one_of_four(), "killed at random on 4.0");
}

fn loses_nothing(cluster: &Cluster, name: &str) {
    let (count, crashes) = (scale().crash_lines, scale().crashes);
    let mut random = random(name);
    let vhost = Vhost::new(cluster);
    vhost.declare(&["--delivery-limit", "unlimited"], "q");
    let text = numbered(count);
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let mut parts = lines.chunks(count.div_ceil(crashes as usize));
    let mut sending = vhost.send(&["q"]).open_input().timeout(LONG).start();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    let append = || OpenOptions::new().create(true).append(true).open(&path).unwrap();
    drop(append());
    let size = || fs::metadata(&path).unwrap().len();
    let mut in_use = 0;
    for _ in 0..crashes {
        let part = parts.next().unwrap_or_default().concat();
        // A moment in time, which may be before anything has arrived, or one in the output.
        let moment = random.u64(0..30);
        let by_time = random.u8(0..4) == 0;
        // In the first quarter: a quick receiver has all the rest before the next check.
        let enough = size() + random.u64(0..part.len() as u64 / 4);
        sending.feed(&part);
        let receiving = vhost.receive(&["q"]).output_to(append()).start();
        let started = Instant::now();
        wait_until(Duration::from_secs(30), "a moment to kill it", || {
            if by_time {
                started.elapsed() > Duration::from_millis(moment)
            } else {
                size() > enough
            }
        });
        receiving.signal(Signal::KILL);
        receiving.wait().expect_signal(Signal::KILL);
        in_use += usize::from(vhost.held("q").messages() > 0);
    }
    eprintln!("{in_use} of {crashes} times there was something to lose");
    assert!(in_use * 2 > crashes as usize, "killed too late: {in_use} of {crashes}");
    sending.finish().expect(0);
    // What the last one held goes back before the queue is empty for the next.
    wait_until(Duration::from_secs(20), "everything back", || vhost.held("q").unacked == 0);
    vhost.receive(&["--drain", "q"]).output_to(append()).run().expect(0);
    vhost.wait_held("q", Held::ready(0));
    let account = account(&fs::read(&path).unwrap());
    eprintln!("{} duplicates, {} torn", account.duplicates(), account.torn);
    assert_eq!(account.missing(count), []);
    // Each crash can bring back what was on its way, and nothing more.
    assert!(account.duplicates() <= crashes as usize * 1000, "{}", account.duplicates());
}

#[test]
fn past_the_default_delivery_limit_of_release_4_a_message_is_dead_lettered_and_not_lost() {
    let vhost = Vhost::new(brokers::one_of_four());
    vhost.declare(&["--delivery-limit", "unlimited"], "dlq");
    vhost.declare(&["--dead-letter-exchange", "", "--dead-letter-key", "dlq"], "q");
    // More than a pipe holds: while nothing reads, it is never completely written nor acknowledged.
    let mut text = vec![b'x'; 1 << 20];
    text.extend_from_slice(b"\nsecond\nthird\n");
    vhost.send(&["q"]).input(text.clone()).run().expect(0);
    let mut deliveries = 0;
    while vhost.held("dlq").ready == 0 {
        let mut receiving = vhost.receive(&["q"]).output_to_pipe().start();
        let unread = receiving.take_output();
        wait_until(Duration::from_secs(20), "a delivery", || vhost.held("q").unacked > 0);
        deliveries += 1;
        assert!(deliveries <= 30, "delivered {deliveries} times and still there");
        receiving.signal(Signal::KILL);
        receiving.wait().expect_signal(Signal::KILL);
        drop(unread);
        wait_until(Duration::from_secs(20), "it back", || vhost.held("q").unacked == 0);
    }
    assert!(deliveries > 20, "gone after {deliveries} deliveries");
    // The others, after it, were not touched: the first message is always taken alone.
    vhost.wait_held("q", Held::ready(2));
    vhost.wait_held("dlq", Held::ready(1));
    let line = text.iter().position(|byte| *byte == b'\n').unwrap();
    assert!(vhost.drain("dlq") == text[..=line], "not what was sent");
    assert_eq!(vhost.drain("q"), b"second\nthird\n");
}
