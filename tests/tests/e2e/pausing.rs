//! A reader that pauses for longer than the broker waits for an acknowledgement.

use rmq_tests::brokers;
use rmq_tests::cluster::Cluster;
use rmq_tests::observe::Held;
use rmq_tests::text::{account, numbered};
use rmq_tests::vhost::Vhost;
use std::io::Read;
use std::time::Duration;

/// A broker that waits three seconds instead of half an hour; RabbitMQ 4.3 waits at least a minute.
struct Impatient<'a>(&'a Cluster);

impl<'a> Impatient<'a> {
    fn new(cluster: &'a Cluster) -> Self {
        set(cluster, if is_4_3() { 60_000 } else { 3_000 }, 1_000);
        Impatient(cluster)
    }
}

impl Drop for Impatient<'_> {
    fn drop(&mut self) {
        set(self.0, 1_800_000, 60_000);
    }
}

fn is_4_3() -> bool {
    brokers::release().starts_with("4.3")
}

fn set(cluster: &Cluster, timeout: u32, tick: u32) {
    cluster.erlang(&format!(
        "begin application:set_env(rabbit, consumer_timeout, {timeout}), \
         application:set_env(rabbit, channel_tick_interval, {tick}), \"\" end"
    ));
}

#[test]
fn nothing_is_taken_again_before_what_is_in_the_pipe_was_read() {
    let cluster = brokers::one_to_break();
    let impatient = Impatient::new(&cluster);
    let vhost = Vhost::new(&cluster);
    vhost.declare(&[], "q");
    vhost.send(&["q"]).input(numbered(3000)).run().expect(0);
    let receiving = vhost.receive(&["-n", "3000", "q"]).output_to_pipe();
    // The broker checks once a minute.
    let mut receiving = receiving.timeout(Duration::from_secs(240)).start();
    let mut output = receiving.take_output();
    receiving.wait_stderr(if is_4_3() {
        "the broker cancelled the consumer, which held 1 message without acknowledgement"
    } else {
        "the broker requeued what was unacknowledged for too long"
    });
    vhost.wait_held("q", Held::ready(3000));
    // It does not take them again repeatedly while nothing reads.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(vhost.held("q"), Held::ready(3000));
    assert_eq!(receiving.stderr().lines().count(), 1, "{}", receiving.stderr());
    drop(impatient);
    let mut text = Vec::new();
    output.read_to_end(&mut text).unwrap();
    receiving.wait().expect(0);
    let account = account(&text);
    // Only the one that was in the pipe is delivered again.
    assert_eq!(account.missing(3000), []);
    assert_eq!(account.duplicates(), 1);
    vhost.wait_held("q", Held::ready(0));
}
