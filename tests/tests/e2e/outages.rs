//! Brokers that die, stop and come back while the tools run.

use rmq_tests::brokers;
use rmq_tests::doubled_answers::consume_ok_twice;
use rmq_tests::observe::Held;
use rmq_tests::running::Running;
use rmq_tests::scale::{random, scale};
use rmq_tests::text::{account, lines, log_lines, numbered};
use rmq_tests::tool::Ended;
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_until;
use rustix::process::Signal;
use std::collections::HashMap;
use std::time::Duration;

// The single node is always stopped in an orderly way: a queue of one member whose node is killed in
// the first seconds of its life has no leader afterwards, on 3.10, until somebody triggers an
// election. What a kill -9 costs is shown on three nodes.

const LONG: Duration = Duration::from_secs(180);

#[test]
fn the_leader_killed_while_log_lines_go_through_costs_none_of_them() {
    let cluster = brokers::three_to_break();
    let vhost = Vhost::new(&cluster);
    vhost.declare(&[], "log");
    let count = scale().log_lines;
    let text = log_lines(count);
    let all = lines(&text);
    let leader = vhost.leader("log");
    // Somewhere in the middle, and the last quarter is written only afterwards: it is the sending
    // that is hit, not its end.
    let moment = random("the leader killed").usize(text.len() / 8..text.len() / 2);
    let (first, last) = text.split_at(text.len() / 4 * 3);
    let receiving = vhost.receive(&["-v", "log"]).timeout(LONG).start();
    let mut sending = vhost.send(&["-v", "log"]).open_input().timeout(LONG).start();
    sending.feed(first);
    receiving.wait_stdout(moment);
    cluster.kill(&[leader]);
    sending.feed(last);
    let sent = sending.finish().expect(0);
    assert_eq!((sent.tally("read"), sent.tally("confirmed")), (count, count), "{}", sent.stderr);
    let received = all_received(&vhost, "log", receiving);
    cluster.start(&[leader]);

    let out = times(&lines(&received.stdout));
    let wanted = times(&all);
    let missing = wanted.iter().filter(|(line, times)| out.get(**line).unwrap_or(&0) < times);
    assert_eq!(missing.count(), 0, "{}\n{}", sent.stderr, received.stderr);
    assert!(out.keys().all(|line| wanted.contains_key(line)), "lines that never went in");
    // The log has the same line many times, so what is too much is told by the total alone.
    let more = lines(&received.stdout).len() - count;
    let explained = sent.tally("resent") + received.tally("redelivered");
    eprintln!("{} resent, {more} more than went in", sent.tally("resent"));
    assert!(more <= explained, "{more} more\n{}\n{}", sent.stderr, received.stderr);
    assert!(!sent.stderr.contains("lost the connection") || sent.tally("resent") > 0);
}

/// What rmq-recv has written once the queue has nothing left for it. A node that is down may still
/// hold a consumer's place there, so it is not the consumers that are counted.
fn all_received(vhost: &Vhost<'_>, queue: &str, receiving: Running) -> Ended {
    wait_until(LONG, "an empty queue", || {
        vhost.try_held(queue).is_some_and(|held| held.messages() == 0 && held.consumers > 0)
    });
    receiving.signal(Signal::TERM);
    receiving.wait().expect_signal(Signal::TERM)
}

fn times<'a>(lines: &[&'a [u8]]) -> HashMap<&'a [u8], usize> {
    let mut times = HashMap::new();
    for line in lines {
        *times.entry(*line).or_default() += 1;
    }
    times
}

#[test]
fn a_broker_that_stops_and_starts_while_lines_are_sent_has_them_all_in_the_end() {
    let cluster = brokers::one_to_break();
    let vhost = Vhost::new(&cluster);
    vhost.declare(&[], "q");
    let count = scale().restart_lines;
    let text = numbered(count);
    let (first, second) = text.split_at(text.len() / 2);
    let mut sending = vhost.send(&["-v", "q"]).open_input().timeout(LONG).start();
    sending.feed(first);
    wait_until(LONG, "some lines", || vhost.held("q").ready > 0);
    cluster.stop(&[1]);
    cluster.start(&[1]);
    sending.feed(second);
    let sent = sending.finish().expect(0).says("lost the connection");
    assert_eq!((sent.tally("read"), sent.tally("confirmed")), (count, count), "{}", sent.stderr);
    let held = vhost.held("q");
    assert!((count..=count + sent.tally("resent")).contains(&held.ready), "{held:?}");
    let account = account(&vhost.drain("q"));
    assert_eq!((account.missing(count), account.torn), (vec![], 0));
}

#[test]
fn a_broker_that_restarts_while_rmq_recv_is_idle_is_found_again() {
    let cluster = brokers::one_to_break();
    let vhost = Vhost::new(&cluster);
    vhost.declare(&[], "q");
    let text = numbered(2);
    let (before, after) = text.split_at(numbered(1).len());
    vhost.send(&["q"]).input(before).run().expect(0);
    let mut receiving = vhost.receive(&["q"]).timeout(LONG).start();
    receiving.wait_stdout(before.len());
    let idle = Held { consumers: 1, ..Held::default() };
    vhost.wait_held("q", idle);
    cluster.stop(&[1]);
    receiving.wait_stderr("lost the connection");
    cluster.start(&[1]);
    vhost.wait_held("q", idle);
    assert!(receiving.is_running());
    vhost.send(&["q"]).input(after).run().expect(0);
    receiving.wait_stdout(text.len());
    receiving.signal(Signal::TERM);
    assert_eq!(receiving.wait().expect_signal(Signal::TERM).stdout, text);
    vhost.wait_held("q", Held::ready(0));
}

#[test]
fn a_broker_that_restarts_while_rmq_recv_receives_loses_nothing() {
    let cluster = brokers::one_to_break();
    let vhost = Vhost::new(&cluster);
    vhost.declare(&[], "q");
    let count = scale().restart_lines;
    vhost.send(&["q"]).input(numbered(count)).run().expect(0);
    let receiving = vhost.receive(&["-v", "q"]).timeout(LONG).start();
    receiving.wait_stdout(1);
    cluster.stop(&[1]);
    cluster.start(&[1]);
    let received = all_received(&vhost, "q", receiving);
    let account = account(&received.stdout);
    assert_eq!((account.missing(count), account.torn), (vec![], 0), "{}", received.stderr);
    assert!(account.duplicates() <= received.tally("redelivered"), "{}", received.stderr);
}

#[test]
fn a_leader_killed_while_rmq_recv_receives_loses_nothing() {
    let cluster = brokers::three_to_break();
    let vhost = Vhost::new(&cluster);
    vhost.declare(&[], "q");
    let count = scale().restart_lines;
    vhost.send(&["q"]).input(numbered(count)).run().expect(0);
    let leader = vhost.leader("q");
    let receiving = vhost.receive(&["-v", "q"]).timeout(LONG).start();
    // The second comes once the first is acknowledged and its consumer has been replaced. A node
    // that dies in between takes the first with it on 3.10, until it is back.
    receiving.wait_stdout(numbered(2).len());
    cluster.kill(&[leader]);
    let received = all_received(&vhost, "q", receiving);
    cluster.start(&[leader]);
    let account = account(&received.stdout);
    assert_eq!((account.missing(count), account.torn), (vec![], 0), "{}", received.stderr);
}

#[test]
fn a_queue_without_a_leader_is_not_taken_for_a_drained_one() {
    let cluster = brokers::three_to_break();
    let count = 200;
    let vhost = Vhost::filled(&cluster, count);
    // A queue whose nodes are killed as soon as it is declared comes back empty on RabbitMQ 4.3.
    std::thread::sleep(Duration::from_secs(3));
    let leader = vhost.leader("q");
    let (other, left) = match leader {
        1 => (2, 3),
        2 => (3, 1),
        _ => (1, 2),
    };
    cluster.kill(&[leader, other]);
    // Looks at the queue of a node that is alone answer 0 messages, or nothing.
    let received = vhost.receive(&["-v", "--drain", "q"]).timeout(Duration::from_secs(180));
    let mut received = received.start();
    std::thread::sleep(Duration::from_secs(5));
    assert!(received.is_running(), "node {left}: {}", received.stderr());
    cluster.start(&[leader, other]);
    let received = received.wait().expect(0);
    let account = account(&received.stdout);
    assert_eq!((account.missing(count), account.torn), (vec![], 0), "{}", received.stderr);
}

#[test]
fn a_broker_that_answers_what_was_not_asked_costs_the_connection_and_nothing_else() {
    // As RabbitMQ 3.10 was seen to do under a partition.
    let vhost = Vhost::filled(brokers::one(), 1000);
    let proxy = consume_ok_twice(vhost.cluster.hosts());
    let words = ["--url", &vhost.url_through(&proxy), "--drain", "-v", "q"];
    let received = vhost.receive(&words).run().expect(0);
    let received = received.says("lost the connection to ");
    assert_eq!(account(&received.stdout).missing(1000), []);
    vhost.wait_held("q", Held::ready(0));
}
