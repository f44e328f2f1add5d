//! A message over which the connection is lost each time it is sent: it fails alone, and the others
//! arrive.

use rmq_tests::brokers;
use rmq_tests::hostile::{Hostile, PUBLISH};
use rmq_tests::observe::Held;
use rmq_tests::proxy::Proxy;
use rmq_tests::text::lines;
use rmq_tests::tool::Tool;
use rmq_tests::vhost::Vhost;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const COUNT: usize = 300;
const CULPRIT: &str = "the culprit";
const SAID: &str = "publish to q: the broker drops the connection over it: ";

/// A proxy to the broker that cuts the connection at line 150.
fn fragile(vhost: &Vhost<'_>) -> Proxy {
    let proxy = Proxy::new(vhost.cluster.hosts(), Duration::ZERO);
    proxy.cut_at(CULPRIT.as_bytes());
    proxy
}

/// Lines, of which number 150 is the culprit.
fn input() -> String {
    let line = |number| if number == 150 { CULPRIT.to_owned() } else { format!("line {number}") };
    (1..=COUNT).map(|number| line(number) + "\n").collect()
}

/// All lines but that one are in the queue, and none too often.
#[track_caller]
fn all_but_one(vhost: &Vhost<'_>) {
    let there = vhost.drain("q");
    let there = lines(&there);
    for line in input().lines().filter(|line| *line != CULPRIT) {
        let count = there.iter().filter(|there| **there == line.as_bytes()).count();
        // Lost together twice, and sent once more alone.
        assert!((1..=3).contains(&count), "{line}: {count} times");
    }
    assert!(!there.contains(&CULPRIT.as_bytes()));
}

#[test]
fn a_record_that_ends_each_connection_fails_alone_and_is_named() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let proxy = fragile(&vhost);
    let url = vhost.url_through(proxy.address());
    let sent = vhost.send(&["--url", &url, "q"]).input(input()).run().expect(65);
    let sent = sent.says(&format!("line 150: {SAID}")).says("sending them one by one");
    assert_eq!(sent.tally("confirmed"), COUNT - 1, "{}", sent.stderr);
    all_but_one(&vhost);
}

#[test]
fn a_record_that_ends_each_connection_goes_to_the_rejects_and_the_rest_is_sent() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let proxy = fragile(&vhost);
    let url = vhost.url_through(proxy.address());
    let directory = tempfile::tempdir().unwrap();
    let rejects = directory.path().join("rejects");
    for window in ["1024", "1"] {
        let words = ["--url", &url, "--window", window, "--rejects", rejects.to_str().unwrap()];
        let sent = vhost.send(&words).arguments(&["q"]).input(input()).run().expect(65);
        let sent = sent.says(&format!("line 150: {SAID}"));
        assert_eq!((sent.tally("confirmed"), sent.tally("rejected")), (COUNT - 1, 1));
        assert_eq!(fs::read_to_string(&rejects).unwrap(), format!("{CULPRIT}\n"));
        fs::remove_file(&rejects).unwrap();
        all_but_one(&vhost);
    }
}

#[test]
fn a_record_that_ends_each_connection_does_not_stop_a_spool() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let proxy = fragile(&vhost);
    let url = vhost.url_through(proxy.address());
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    let words = ["--url", &url, "--spool", spool.to_str().unwrap(), "q"];
    let sent = vhost.send(&words).input(input()).run().expect(65);
    sent.says(SAID).says("1 record rejected");
    let rejected = fs::read_to_string(spool.join("rejected")).unwrap();
    assert!(rejected.contains("\"body\":\"the culprit\""), "{rejected}");
    all_but_one(&vhost);
    // What came after it is not delayed in any later run.
    vhost.send(&words).input("301\n").run().expect(0);
    vhost.wait_held("q", Held::ready(1));
}

#[test]
fn a_decimal_in_a_header_ends_every_connection_to_a_stream_and_is_named() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--type", "stream"], "q");
    let bad = r#"{"headers":{"price":{"$decimal":{"scale":2,"value":314}}},"body":"bad"}"#;
    let input = format!("{{\"body\":\"one\"}}\n{bad}\n{{\"body\":\"three\"}}\n");
    let directory = tempfile::tempdir().unwrap();
    let rejects = directory.path().join("rejects");
    let words = ["--rejects", rejects.to_str().unwrap(), "--format", "json", "q"];
    let sent = vhost.send(&words).input(input).run().expect(65);
    let sent = sent.says(&format!("line 2: {SAID}"));
    let sent = sent.says("header price is a decimal, which no stream carries");
    assert_eq!((sent.tally("confirmed"), sent.tally("rejected")), (2, 1));
    assert_eq!(fs::read_to_string(&rejects).unwrap(), format!("{bad}\n"));
    // Other queues accept it.
    vhost.declare(&[], "quorum");
    vhost.send(&["--format", "json", "quorum"]).input(bad).run().expect(0);
}

#[test]
fn one_record_alone_is_found_guilty_too() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let proxy = fragile(&vhost);
    let url = vhost.url_through(proxy.address());
    let sent = vhost.send(&["--url", &url, "-b", CULPRIT, "q"]).run().expect(65);
    sent.says(&format!("record 1: {SAID}"));
}

#[test]
fn a_broker_that_drops_every_message_fails_none_of_them() {
    let hostile = Hostile::new(|peer| peer.until(PUBLISH).map(|_| ()));
    let words = ["--retry", "5s", "--url", &hostile.url(), "q"];
    let sent = Tool::new("rmq-send").arguments(&words).input("one\ntwo\n").run().expect(75);
    sent.says("; sent but not confirmed 1-2");
}

#[test]
fn a_connection_lost_a_few_times_for_another_reason_fails_no_record() {
    for lost in 1..=4 {
        let count = AtomicUsize::new(0);
        let hostile = Hostile::new(move |peer| {
            let asked = peer.until(PUBLISH)?;
            if count.fetch_add(1, Ordering::Relaxed) < lost {
                return Ok(());
            }
            peer.answer(asked)?;
            peer.behave()
        });
        let send = Tool::new("rmq-send").arguments(&["--url", &hostile.url(), "q"]);
        let sent = send.input("one\n").run().expect(0);
        assert_eq!(sent.stderr.matches("lost the connection").count(), lost, "{}", sent.stderr);
    }
}
