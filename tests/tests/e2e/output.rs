//! Standard output that accepts no more: only what is written is acknowledged.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::text::{account, lines, numbered};
use rmq_tests::tool::{Tool, binary};
use rmq_tests::vhost::Vhost;
use std::fs::{self, OpenOptions};

#[test]
fn a_full_standard_output_is_74_and_every_message_is_back_in_the_queue() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    vhost.send(&["q"]).input(numbered(1000)).run().expect(0);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let received = vhost.receive(&["q"]).output_to(full).run().expect(74);
    received.says("write standard output").says("No space left");
    vhost.wait_held("q", Held::ready(1000));
    vhost.wait_no_connections();
}

#[test]
fn a_file_that_may_not_grow_holds_exactly_what_was_acknowledged() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let text = numbered(2000);
    vhost.send(&["q"]).input(text.clone()).run().expect(0);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    // The limit is 64 blocks of 512 bytes, in the middle of a line.
    let script =
        format!("ulimit -f 64; exec '{}' q >'{}'", binary("rmq-recv").display(), path.display());
    let shell = Tool::program("sh").arguments(&["-c", &script]);
    shell.environment("AMQP_URL", &vhost.url()).run().expect(74).says("write standard output");
    let out = fs::read(&path).unwrap();
    assert_eq!(out.len(), 64 * 512);
    assert!(text.starts_with(&out) && !out.ends_with(b"\n"));
    let whole = lines(&out).len() - 1;
    vhost.wait_held("q", Held::ready(2000 - whole));
    // What is left is the rest (in any order: the broker puts messages back in any order).
    let end = out.iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let all = account(&[&out[..end], &vhost.drain("q")].concat());
    assert_eq!((all.missing(2000), all.duplicates()), (vec![], 0));
    vhost.wait_no_connections();
}
