//! A long wait is reported once, and its end once; what repeats is reported ever more rarely.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::text::numbered;
use rmq_tests::tool::Tool;
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_until;
use std::fs;
use std::io::Read;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

fn times(said: &str, what: &str) -> usize {
    said.matches(what).count()
}

#[test]
fn a_queue_that_takes_nothing_is_reported_once_with_the_limit_and_so_is_that_it_does_again() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--max-length", "1", "--overflow", "reject-publish"], "full");
    // A quorum queue takes one more than it should.
    vhost.send(&["--retry", "2s", "full"]).input(numbered(5)).run();
    let sending = vhost.send(&["--retry", "50s", "-b", "x", "full"]).start();
    sending.wait_stderr("; trying again for up to 50s (--retry)");
    let said = sending.stderr();
    assert!(said.contains("rmq-send: full nacks: it is full"), "{said}");
    vhost.drain("full");
    let sent = sending.wait().expect(0).says("records are confirmed again, after ");
    assert_eq!(times(&sent.stderr, "trying again"), 1, "{}", sent.stderr);
}

#[test]
fn a_reader_that_does_not_read_is_reported_once_and_so_is_that_it_does_again() {
    let vhost = Vhost::filled(brokers::one(), 3000);
    let mut receiving = vhost.receive(&["q"]).output_to_pipe().start();
    receiving.wait_stderr("standard output was not read for 5 s; ");
    let mut output = receiving.take_output();
    let mut text = vec![0; numbered(3000).len()];
    output.read_exact(&mut text).unwrap();
    assert!(text == numbered(3000));
    receiving.wait_stderr("standard output is read again");
    vhost.wait_held("q", Held { ready: 0, unacked: 0, consumers: 1 });
    assert_eq!(times(&receiving.stderr(), "standard output"), 2, "{}", receiving.stderr());
}

#[test]
fn a_first_connection_that_takes_long_is_reported_once_also_where_nobody_asked_for_details() {
    let words = ["--url", "amqp://127.0.0.1:1", "--retry", "9s", "q"];
    let ended = Tool::new("rmq-recv").arguments(&words).run().expect(69);
    let lines: Vec<_> = ended.stderr.lines().collect();
    let first = "rmq-recv: connect to 127.0.0.1:1: Connection refused; trying again, --retry 9s";
    assert_eq!(lines.first(), Some(&first), "{lines:?}");
    assert_eq!(lines.len(), 2, "{lines:?}");
    let quiet = Tool::new("rmq-recv").arguments(&["--quiet"]).arguments(&words).run().expect(69);
    assert_eq!(quiet.stderr.lines().count(), 1, "{}", quiet.stderr);
}

#[test]
fn connections_that_are_lost_again_and_again_are_not_a_line_each() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let receiving = vhost.receive(&["q"]).start();
    let mut before = Vec::new();
    let mut await_another = || {
        wait_until(SOON, "another connection", || {
            let now = vhost.connections();
            let is_another = now.len() == 1 && now != before && vhost.held("q").consumers == 1;
            if is_another {
                before = now;
            }
            is_another
        });
    };
    for _ in 0..8 {
        await_another();
        vhost.close_connection_of(receiving.pid(), "again");
    }
    await_another();
    let said = receiving.stderr();
    assert_eq!(times(&said, "lost the connection to "), 5, "{said}");
    assert_eq!(times(&said, "connected to "), 5, "{said}");
}

#[test]
fn with_v_each_connection_nack_and_file_is_a_line_and_without_it_none() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--max-length", "1", "--overflow", "reject-publish"], "full");
    vhost.send(&["--retry", "1s", "full"]).input(numbered(5)).run();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "x\n").unwrap();
    let words = ["-v", "--retry", "2s", "full", file.to_str().unwrap()];
    let ended = vhost.send(&words).run().expect(75);
    let name = &vhost.name;
    let ended = ended.says(&format!(": user {name}, vhost {name}, RabbitMQ "));
    let ended =
        ended.says(", heartbeat 10 s, no TLS\n").says("1 record nacked by full; sending again");
    ended.says(&format!("rmq-send: reading {}\n", file.display()));
    let silent = vhost.receive(&["-n", "1", "full"]).run().expect(0);
    assert_eq!(silent.stderr, "");
}
