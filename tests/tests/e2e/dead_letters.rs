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
    // The second time, that is not a difference.
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
fn what_was_made_for_a_queue_that_is_refused_is_taken_back_and_nothing_else() {
    let vhost = Vhost::new(brokers::one());
    let declare =
        |words: &[&str]| vhost.tool("rmq-declare").arguments(&["--quiet"]).arguments(words).run();
    vhost.declare(&["--type", "classic"], "jobs");
    let words = ["--with-dlq", "--exchange", "new:topic", "--bind", "new:k", "jobs"];
    declare(&words).expect(65).says("with --type (x-queue-type) classic, quorum was asked for");
    assert_eq!((vhost.arguments("jobs.dlq"), vhost.exchange("new")), (None, None));
    // The broker refuses this one after its dead-letter queue has been created.
    let words = ["--with-dlq", "--exchange", "new:topic", "--arg", "x-max-priority=5", "fresh"];
    declare(&words).expect(65).says("quorum queues have no argument --max-priority");
    assert_eq!((vhost.arguments("fresh"), vhost.arguments("fresh.dlq")), (None, None));
    assert_eq!(vhost.exchange("new"), None);
    // What was there stays.
    declare(&["--delivery-limit", "unlimited", "fresh.dlq"]).expect(0);
    declare(&["--exchange", "new:topic"]).expect(0);
    declare(&words).expect(65);
    assert!(vhost.arguments("fresh.dlq").is_some() && vhost.exchange("new").is_some());
    // And so does what another queue needs.
    let file = "queue,type,exchange\njobs,quorum,shared:topic\nother,quorum,shared:topic\n";
    let tool = vhost.tool("rmq-declare").arguments(&["--quiet", "--csv", "-"]).input(file);
    tool.run().expect(65);
    assert!(vhost.arguments("other").is_some() && vhost.exchange("shared").is_some());
}

#[test]
fn dead_letters_that_would_go_nowhere_are_told() {
    let vhost = Vhost::new(brokers::one());
    let declare = |words: &[&str]| vhost.tool("rmq-declare").arguments(words).run().expect(0);
    let name = &vhost.name;
    let told = declare(&["--dead-letter-exchange", "nosuch", "a", "b"]);
    let told =
        told.says("dead letters of a (and of 1 more) go nowhere: there is no exchange nosuch");
    told.says(&format!("(rmq-declare -p {name} --exchange nosuch:TYPE)"));
    declare(&["--check", "--dead-letter-exchange", "nosuch", "a"]).says("no exchange nosuch in");
    let to_queue = ["--dead-letter-exchange=", "--dead-letter-key", "parking", "c"];
    declare(&to_queue).says("dead letters of c go nowhere: there is no queue parking in ");
    let with = r#"{"name":"e","type":"topic","arguments":{"alternate-exchange":"lost"}}"#;
    declare(&["--exchange", with]).says("messages that exchange e cannot route go nowhere");
    // Nothing is reported once it exists, or is created with it.
    declare(&["--quiet", "parking"]);
    for words in [
        &to_queue[..],
        &["--exchange", "nosuch:fanout", "--dead-letter-exchange", "nosuch", "a"],
        &["--exchange", with, "--exchange", "lost:fanout"],
        &["--with-dlq", "d"],
    ] {
        let told = declare(words);
        assert!(!told.stderr.contains("nowhere"), "{}", told.stderr);
    }
}

#[test]
fn a_dead_letter_queue_that_is_there_and_different_keeps_the_queue_from_being_made() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--type", "classic"], "jobs.dlq");
    let told = vhost.tool("rmq-declare").arguments(&["--with-dlq", "jobs"]).run().expect(65);
    told.says("declare jobs.dlq in ");
    assert_eq!(vhost.arguments("jobs"), None);
}
