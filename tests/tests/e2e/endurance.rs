//! Large amounts, large messages, many repetitions.

use rmq_tests::brokers;
use rmq_tests::limits::status;
use rmq_tests::observe::Held;
use rmq_tests::scale::scale;
use rmq_tests::text::{account, numbered};
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_until;
use rustix::process::Signal;
use std::fs::File;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(3600);

#[test]
fn memory_stays_flat_however_much_goes_through() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let nowhere = File::options().write(true).open("/dev/null").unwrap();
    let receiving = vhost.receive(&["q"]).output_to(nowhere).timeout(LONG).start();
    let mebibyte = [&vec![b'x'; (64 << 10) - 1][..], b"\n"].concat().repeat(16);
    let mut sending = vhost.send(&["q"]).open_input().timeout(LONG).start();
    let mut early = 0;
    for sent in 0..scale().mebibytes {
        sending.write(&mebibyte);
        if sent == 64 {
            early = status(receiving.pid(), "VmHWM:");
        }
    }
    sending.finish().expect(0);
    let empty = Held { consumers: 1, ..Held::default() };
    wait_until(LONG, "everything through", || vhost.held("q") == empty);
    let late = status(receiving.pid(), "VmHWM:");
    eprintln!("{early} KiB after 64 MiB, {late} KiB after {} MiB", scale().mebibytes);
    // Up to 64 MiB may be on their way.
    assert!(late < 192 << 10, "{early} KiB, then {late} KiB");
    receiving.signal(Signal::TERM);
    receiving.wait().expect_signal(Signal::TERM);
}

#[test]
fn the_prefetch_is_lowered_to_what_its_bytes_hold_of_the_largest_body() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let body = [&vec![b'x'; (1 << 20) - 1][..], b"\n"].concat();
    vhost.send(&["q"]).input(body.repeat(40)).run().expect(0);
    let words = ["--prefetch-bytes", "4M", "q"];
    let mut receiving = vhost.receive(&words).output_to_pipe().start();
    let mut output = receiving.take_output();
    let mut first = vec![0; body.len()];
    std::io::Read::read_exact(&mut output, &mut first).unwrap();
    // The reader pauses: four more are taken, and no fifth.
    wait_until(Duration::from_secs(20), "four more", || vhost.held("q").unacked == 4);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(vhost.held("q").unacked, 4);
    drop(output);
    receiving.wait().expect(0);
    vhost.wait_held("q", Held::ready(39));
}

#[test]
fn a_very_large_message_comes_whole() {
    let cluster = brokers::one();
    let limit = (scale().large + 1) << 20;
    let before = cluster.erlang(
        "begin {ok, N} = application:get_env(rabbit, max_message_size), io_lib:format(\"~w\", [N]) \
         end",
    );
    let set = |limit: &str| {
        cluster.erlang(&format!(
            "begin application:set_env(rabbit, max_message_size, {limit}), \
             catch persistent_term:put(max_message_size, {limit}), \"\" end"
        ));
    };
    if before.parse::<usize>().unwrap() < limit {
        set(&limit.to_string());
    }
    let vhost = Vhost::new(cluster);
    vhost.declare(&[], "q");
    let body: Vec<u8> = (0..scale().large << 20).map(|index: usize| (index % 251) as u8).collect();
    let size = limit.to_string();
    let words = ["--max-size", &size, "--format", "whole", "q"];
    vhost.send(&words).input(body.clone()).run().expect(0);
    let received = vhost.receive(&["-n", "1", "-f", "%s", "q"]).run().expect(0);
    assert!(received.stdout == body);
    set(&before);
    vhost.wait_held("q", Held::ready(0));
}

#[test]
fn a_crash_loop_leaves_every_message_in_the_queue_or_dead_lettered() {
    let vhost = Vhost::new(brokers::one_of_four());
    vhost.declare(&["--delivery-limit", "unlimited"], "dlq");
    vhost.declare(&["--dead-letter-exchange", "", "--dead-letter-key", "dlq"], "q");
    let count = 100;
    vhost.send(&["q"]).input(numbered(count)).run().expect(0);
    for _ in 0..scale().crash_loop {
        let mut receiving = vhost.receive(&["q"]).output_to_pipe().start();
        let unread = receiving.take_output();
        wait_until(Duration::from_secs(20), "a delivery", || vhost.held("q").unacked > 0);
        receiving.signal(Signal::KILL);
        receiving.wait().expect_signal(Signal::KILL);
        drop(unread);
        wait_until(Duration::from_secs(20), "it back", || vhost.held("q").unacked == 0);
    }
    // Only the first was ever taken, which uses up a delivery limit of twenty.
    let dead = scale().crash_loop / 21;
    vhost.wait_held("dlq", Held::ready(dead));
    let all = account(&[vhost.drain("q"), vhost.drain("dlq")].concat());
    assert_eq!((all.missing(count), all.duplicates()), (vec![], 0));
}
