//! Everything that is refused, by us or by the broker, and the status it ends with.

use rmq_tests::brokers;
use rmq_tests::closed_ports::Closed;
use rmq_tests::observe::Held;
use rmq_tests::text::numbered;
use rmq_tests::tool::Tool;
use rmq_tests::vhost::{PASSWORD, Vhost};
use std::time::Duration;

#[test]
fn a_queue_that_is_not_there_is_named_and_nothing_is_confirmed() {
    let vhost = Vhost::new(brokers::one());
    let sent = vhost.send(&["-v", "nowhere"]).input(*b"one\ntwo\n").run().expect(65);
    let sent = sent.says("publish to nowhere: no such queue");
    assert!(!sent.stderr.contains("; confirmed"), "{}", sent.stderr);
    let received = vhost.receive(&["nowhere"]).run().expect(65).says("nowhere: no such queue");
    assert!(received.stdout.is_empty());
    vhost.receive(&["--drain", "nowhere"]).run().expect(65).says("nowhere");
    // Neither has made it.
    assert_eq!(vhost.try_held("nowhere"), None);
    vhost.wait_no_connections();
}

#[test]
fn a_wrong_password_is_told_at_once_and_never_tried_again() {
    let vhost = Vhost::new(brokers::one());
    let url = vhost.url().replace(PASSWORD, "wrong-one");
    for tool in ["rmq-send", "rmq-recv", "rmq-declare"] {
        let refused = vhost.tool(tool).arguments(&["--url", &url, "q"]).run().expect(77);
        let refused = refused.says(&vhost.name);
        assert!(!refused.stderr.contains("wrong-one"), "{}", refused.stderr);
        assert!(refused.took < Duration::from_secs(10), "{:?}", refused.took);
    }
}

#[test]
fn a_vhost_that_is_not_there_is_named() {
    let vhost = Vhost::new(brokers::one());
    for tool in ["rmq-send", "rmq-recv", "rmq-declare"] {
        let refused = vhost.tool(tool).arguments(&["-p", "/nowhere", "q"]).run().expect(65);
        refused.says("/nowhere").says("no such vhost");
    }
}

#[test]
fn nobody_listening_is_69_as_soon_as_retry_is_over() {
    let closed = Closed::take();
    let address = closed.address;
    let url = format!("amqp://{address}");
    for tool in ["rmq-send", "rmq-recv", "rmq-declare"] {
        let tried = |retry| Tool::new(tool).arguments(&["--url", &url, "--retry", retry, "q"]);
        let once = tried("0").run().expect(69).says(&address.to_string());
        assert!(once.took < Duration::from_secs(1), "{tool} --retry 0: {:?}", once.took);
        let longer = tried("1s").run().expect(69);
        let limits = Duration::from_secs(1)..Duration::from_secs(3);
        assert!(limits.contains(&longer.took), "{tool} --retry 1s: {:?}", longer.took);
    }
}

#[test]
fn who_may_not_read_a_queue_gets_nothing_of_it() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    vhost.send(&["q"]).input(*b"one\n").run().expect(0);
    let user = format!("{}-writer", vhost.name);
    vhost.add_user(&user, [".*", ".*", "^$"]);
    let refused = vhost.receive(&["--url", &vhost.url_for(&user), "q"]).run().expect(77);
    let refused = refused.says("receive from q");
    assert!(refused.stdout.is_empty());
    assert_eq!(vhost.held("q"), Held::ready(1));
}

#[test]
fn who_may_not_write_is_told_so() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let user = format!("{}-reader", vhost.name);
    vhost.add_user(&user, [".*", "^$", ".*"]);
    let sent = vhost.send(&["--url", &vhost.url_for(&user), "q"]).input(*b"one\n").run();
    sent.expect(77).says("line 1").says("publish to q");
    assert_eq!(vhost.held("q"), Held::ready(0));
}

#[test]
fn who_may_not_write_is_told_so_once_however_many_lines_there_are() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let user = format!("{}-reader", vhost.name);
    vhost.add_user(&user, [".*", "^$", ".*"]);
    let sent = vhost.send(&["-v", "--url", &vhost.url_for(&user), "q"]).input(numbered(5000)).run();
    let sent = sent.expect(77).says("line 1: publish to q");
    assert!(!sent.stderr.contains("connect"), "{}", sent.stderr);
    assert_eq!(sent.tally("resent"), 0);
}

#[test]
fn retry_0_leaves_a_broker_that_is_there_the_time_it_takes() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let lines = numbered(5000);
    vhost.send(&["--retry", "0", "q"]).input(lines.clone()).run().expect(0);
    let received = vhost.receive(&["--retry", "0", "--drain", "q"]).run().expect(0);
    assert!(received.stdout == lines);
}

#[test]
fn who_may_not_configure_can_send_and_receive_and_is_refused_by_declare() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let user = format!("{}-developer", vhost.name);
    vhost.add_user(&user, ["^$", ".*", ".*"]);
    let url = vhost.url_for(&user);
    vhost.tool("rmq-declare").arguments(&["--url", &url, "new"]).run().expect(77).says("configure");
    assert_eq!(vhost.try_held("new"), None);
    vhost.send(&["--url", &url, "q"]).input(*b"Hello World!\n").run().expect(0);
    assert_eq!(vhost.held("q"), Held::ready(1));
    let received = vhost.receive(&["--url", &url, "--drain", "q"]).run().expect(0);
    assert_eq!(received.stdout, b"Hello World!\n");
}
