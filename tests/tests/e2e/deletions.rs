//! `rmq-declare --delete`, and what it must not delete.

use rmq_tests::brokers;
use rmq_tests::tool::Ended;
use rmq_tests::vhost::Vhost;

fn delete(vhost: &Vhost<'_>, words: &[&str]) -> Ended {
    vhost.tool("rmq-declare").arguments(&["--delete"]).arguments(words).run()
}

#[test]
fn a_queue_is_deleted_with_its_messages_and_one_that_is_not_there_is_no_error() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    vhost.send(&["q"]).input(*b"one\ntwo\n").run().expect(0);
    assert_eq!(
        delete(&vhost, &["--dry-run", "q", "nope"]).expect(0).stdout,
        b"q\t2\t0\nnope\tmissing\n"
    );
    assert!(vhost.arguments("q").is_some());
    assert_eq!(delete(&vhost, &["q", "nope"]).expect(0).stdout, b"q\tdeleted\t2\nnope\tmissing\n");
    assert_eq!(vhost.arguments("q"), None);
    // RabbitMQ answers 0 for a stream, whatever is in it.
    vhost.declare(&["--type", "stream"], "stream");
    vhost.send(&["stream"]).input(*b"one\ntwo\n").run().expect(0);
    rmq_tests::wait::wait_until(std::time::Duration::from_secs(20), "two messages", || {
        let checked = vhost.tool("rmq-declare").arguments(&["--check", "stream"]).run().expect(0);
        checked.stdout == b"stream\t2\t0\n"
    });
    assert_eq!(delete(&vhost, &["stream"]).expect(0).stdout, b"stream\tdeleted\t-\n");
    vhost.declare(&["--type", "classic"], "empty");
    assert_eq!(delete(&vhost, &["empty"]).expect(0).stdout, b"empty\tdeleted\t0\n");
}

#[test]
fn if_empty_and_if_unused_keep_a_classic_queue_that_is_neither() {
    let vhost = Vhost::new(brokers::one());
    // The type is determined after any other arguments.
    let shape = ["--type", "classic", "--max-length", "9", "--message-ttl", "1h", "--transient"];
    vhost.declare(&shape, "q");
    vhost.send(&["q"]).input(*b"one\n").run().expect(0);
    delete(&vhost, &["--if-empty", "q"]).expect(1).says("it is not empty");
    vhost.drain("q");
    let receiving = vhost.receive(&["q"]).start();
    vhost.connection_of(receiving.pid());
    rmq_tests::wait::wait_until(std::time::Duration::from_secs(20), "a consumer", || {
        let checked = vhost.tool("rmq-declare").arguments(&["--check", "q"]).run().expect(0);
        checked.stdout == b"q\t0\t1\n"
    });
    delete(&vhost, &["--if-unused", "q"]).expect(1).says("it is in use");
    assert!(vhost.arguments("q").is_some());
    drop(receiving);
    vhost.wait_no_connections();
    let deleted = delete(&vhost, &["--if-empty", "--if-unused", "q", "nope"]).expect(0);
    assert_eq!(deleted.stdout, b"q\tdeleted\t0\nnope\tmissing\n");
    assert_eq!(vhost.arguments("q"), None);
}

#[test]
fn what_rabbitmq_would_delete_without_looking_is_kept() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--type", "stream", "--max-age", "7d"], "stream");
    vhost.declare(&["--max-length", "9", "--dead-letter-exchange", "x"], "quorum");
    for condition in ["--if-empty", "--if-unused"] {
        // Although empty and unused: RabbitMQ does not check a stream, and ends the connection for
        // a quorum queue.
        let kept = delete(&vhost, &[condition, "stream", "quorum", "nope"]).expect(65);
        let kept = kept.says("delete stream in ").says("it is a stream").says("a quorum queue");
        assert_eq!(kept.stdout, b"nope\tmissing\n");
        assert!(vhost.arguments("stream").is_some() && vhost.arguments("quorum").is_some());
    }
}
