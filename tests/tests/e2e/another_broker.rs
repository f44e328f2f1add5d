//! A broker that is not RabbitMQ, so that nothing leans on what only RabbitMQ does.

use rmq_tests::garagemq::GarageMq;
use rmq_tests::text::numbered;
use rmq_tests::tool::Tool;

#[test]
fn on_garagemq_a_queue_is_declared_filled_and_drained() {
    let garage = GarageMq::up();
    let tool = |name: &str, words: &[&str]| {
        Tool::new(name).arguments(words).environment("AMQP_URL", &garage.url())
    };
    let declared = tool("rmq-declare", &["q"]).run().expect(0);
    assert_eq!(declared.stdout, b"q\t0\t0\n");
    let lines = numbered(5000);
    let sent = tool("rmq-send", &["-v", "q"]).input(lines.clone()).run().expect(0);
    assert_eq!((sent.tally("confirmed"), sent.tally("resent")), (5000, 0), "{}", sent.stderr);
    let looked = tool("rmq-declare", &["--check", "q"]).run().expect(0);
    assert_eq!(looked.stdout, b"q\t5000\t0\n");
    let first = tool("rmq-recv", &["-n", "10", "q"]).run().expect(0).stdout;
    let rest = tool("rmq-recv", &["--drain", "q"]).run().expect(0).stdout;
    assert!([first, rest].concat() == lines);
    let sent = tool("rmq-send", &["nowhere"]).input(*b"one\n").run().expect(65);
    sent.says("publish to nowhere: no such queue");
    tool("rmq-recv", &["nowhere"]).run().expect(65).says("nowhere");
    tool("rmq-declare", &["--check", "nowhere"]).run().expect(1);
    tool("rmq-declare", &["--delete", "q"]).run().expect(0);
    tool("rmq-declare", &["--check", "q"]).run().expect(1);
}
