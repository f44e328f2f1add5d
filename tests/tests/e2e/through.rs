//! What goes in comes out.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::running::Running;
use rmq_tests::scale::scale;
use rmq_tests::text::{log_lines, numbered, numbers};
use rmq_tests::tool::Tool;
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_until;
use rustix::process::Signal;
use std::fs::OpenOptions;
use std::io::Write;
use std::time::{Duration, Instant};

#[test]
fn real_log_lines_go_through_a_quorum_queue_of_three_nodes_byte_for_byte() {
    let vhost = Vhost::new(brokers::three());
    vhost.declare(&[], "log");
    let count = scale().log_lines;
    let text = log_lines(count);
    let sent = vhost.send(&["-v", "log"]).input(text.clone()).run().expect(0);
    assert_eq!((sent.tally("read"), sent.tally("confirmed")), (count, count), "{}", sent.stderr);
    assert_eq!(vhost.held("log"), Held::ready(count));
    assert!(vhost.drain("log") == text, "not what was sent");
    vhost.wait_held("log", Held::ready(0));
}

#[test]
fn bytes_that_are_no_text_come_out_as_they_went_in() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    vhost.send(&["q"]).input(*b"a\n\nb\0c\n\xff\nlast").run().expect(0);
    assert_eq!(vhost.held("q"), Held::ready(5));
    assert_eq!(vhost.drain("q"), b"a\n\nb\0c\n\xff\nlast\n");
    assert_eq!(vhost.held("q"), Held::ready(0));
}

#[test]
fn a_line_of_fifteen_mebibytes_is_one_message() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let mut line: Vec<u8> = (0..15 << 20).map(|index: u32| (index % 251) as u8).collect();
    line.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b'.');
    line.push(b'\n');
    vhost.send(&["q"]).input(line.clone()).run().expect(0);
    assert_eq!(vhost.held("q"), Held::ready(1));
    assert!(vhost.drain("q") == line, "not what was sent");
    vhost.wait_held("q", Held::ready(0));
}

#[test]
fn lines_keep_their_order_on_one_connection() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let count = scale().crash_lines;
    let text = numbered(count);
    let receiving = vhost.receive(&["-v", "q"]).start();
    vhost.send(&["q"]).input(text.clone()).run().expect(0);
    receiving.wait_stdout(text.len());
    vhost.wait_held("q", Held { consumers: 1, ..Held::default() });
    receiving.signal(Signal::TERM);
    let received = receiving.wait().expect_signal(Signal::TERM);
    let numbers = numbers(&received.stdout);
    let turned: Vec<_> = numbers.windows(2).filter(|pair| pair[0] + 1 != pair[1]).collect();
    assert!(turned.is_empty() && numbers.len() == count, "{turned:?} {}", received.stderr);
}

#[test]
fn each_line_of_a_growing_file_shows_at_the_other_end_as_it_comes() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.log");
    let mut log = OpenOptions::new().create(true).append(true).open(&path).unwrap();
    let mut tail = Tool::program("tail")
        .arguments(&["-n", "+1", "-f", path.to_str().unwrap()])
        .output_to_pipe()
        .start();
    let sending = vhost.send(&["q"]).input_from(tail.take_output()).start();
    let receiving = vhost.receive(&["q"]).start();
    let mut wanted = Vec::new();
    for number in 0..10 {
        let line = format!("line {number}\n");
        wanted.extend_from_slice(line.as_bytes());
        let written = Instant::now();
        log.write_all(line.as_bytes()).unwrap();
        shows(&receiving, &wanted);
        // The first has three programs to wait for that are still starting.
        let limit = Duration::from_secs(if number == 0 { 10 } else { 2 });
        assert!(written.elapsed() < limit, "line {number} took {:?}", written.elapsed());
    }
    drop(tail);
    sending.wait().expect(0);
    assert_eq!(receiving.stdout(), wanted);
}

fn shows(receiving: &Running, wanted: &[u8]) {
    let what = "a line at the other end";
    wait_until(Duration::from_secs(10), what, || receiving.stdout() == wanted);
}
