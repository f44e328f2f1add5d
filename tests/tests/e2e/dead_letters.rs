//! `rmq-declare --with-dlq`: a dead-lettered message really arrives.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::text::numbered;
use rmq_tests::vhost::Vhost;

const AT_LEAST_ONCE: &str = r#"{<<"x-dead-letter-strategy">>,longstr,<<"at-least-once">>}"#;

#[test]
fn expired_messages_arrive_in_the_dead_letter_queue_at_least_once() {
    let vhost = Vhost::new(brokers::three());
    let words = ["--with-dlq", "--message-ttl", "1ms", "jobs"];
    let declared = vhost.tool("rmq-declare").arguments(&words).run().expect(0);
    assert_eq!(declared.stdout, b"jobs.dlq\t0\t0\njobs\t0\t0\n");
    assert!(declared.stderr.is_empty(), "{}", declared.stderr);
    let is = vhost.arguments("jobs").unwrap();
    assert!(is.contains(AT_LEAST_ONCE) && is.contains("reject-publish"), "{is}");
    assert_eq!((vhost.members("jobs"), vhost.members("jobs.dlq")), (3, 3));
    // Which is no difference the next time.
    vhost.tool("rmq-declare").arguments(&words).run().expect(0);
    let check = [&["--check"], &words[..]].concat();
    vhost.tool("rmq-declare").arguments(&check).run().expect(0);
    vhost.send(&["jobs"]).input(numbered(1000)).run().expect(0);
    vhost.wait_held("jobs.dlq", Held::ready(1000));
    vhost.wait_held("jobs", Held::ready(0));
    let mut dead = rmq_tests::text::numbers(&vhost.drain("jobs.dlq"));
    dead.sort_unstable();
    assert_eq!(dead, (0..1000).collect::<Vec<_>>());
}

#[test]
fn a_queue_that_drops_its_oldest_messages_dead_letters_them_at_most_once_and_says_so() {
    let vhost = Vhost::new(brokers::one());
    let words = ["--with-dlq", "--max-length", "1", "jobs"];
    let declared = vhost.tool("rmq-declare").arguments(&words).run().expect(0);
    declared.says("at most once").says("--overflow reject-publish");
    let is = vhost.arguments("jobs").unwrap();
    assert!(!is.contains("x-dead-letter-strategy") && !is.contains("x-overflow"), "{is}");
    vhost.send(&["jobs"]).input(*b"one\ntwo\nthree\n").run().expect(0);
    vhost.wait_held("jobs.dlq", Held::ready(2));
    assert_eq!(vhost.drain("jobs.dlq"), b"one\ntwo\n");
    let words = ["--with-dlq", "--max-length", "1", "--overflow", "reject-publish", "strict"];
    vhost.tool("rmq-declare").arguments(&words).run().expect(0);
    assert!(vhost.arguments("strict").unwrap().contains(AT_LEAST_ONCE));
}

#[test]
fn a_classic_queue_gets_a_classic_dead_letter_queue() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--with-dlq", "--type", "classic", "--message-ttl", "1ms"], "jobs");
    assert!(vhost.arguments("jobs.dlq").unwrap().contains("classic"));
    vhost.send(&["jobs"]).input(*b"one\n").run().expect(0);
    let received = vhost.receive(&["-n", "1", "jobs.dlq"]).run().expect(0);
    assert_eq!(received.stdout, b"one\n");
}

#[test]
fn a_dead_letter_queue_that_is_there_and_different_keeps_the_queue_from_being_made() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--type", "classic"], "jobs.dlq");
    let told = vhost.tool("rmq-declare").arguments(&["--with-dlq", "jobs"]).run().expect(65);
    told.says("declare jobs.dlq in ");
    assert_eq!(vhost.arguments("jobs"), None);
}
