//! A user who may open one channel at a time, which the broker enforces by closing the connection.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::text::numbered;
use rmq_tests::tool::Tool;
use rmq_tests::vhost::Vhost;

const MANY: &[&str] = &["--retry", "20s", "--quiet"];

/// A virtual host with a user who is allowed one channel.
struct Limited<'a> {
    vhost: Vhost<'a>,
    user: String,
}

impl Limited<'static> {
    fn new() -> Self {
        let vhost = Vhost::new(brokers::one());
        let user = format!("{}.one", vhost.name);
        vhost.add_user(&user, [".*"; 3]);
        let limits = r#"{"max-channels":1}"#;
        vhost.cluster.control(1, &["set_user_limits", &user, limits]);
        Limited { vhost, user }
    }

    fn receive(&self, words: &[&str]) -> Tool {
        let url = self.vhost.url_for(&self.user);
        Tool::new("rmq-recv").environment("AMQP_URL", &url).arguments(MANY).arguments(words)
    }
}

#[test]
fn one_channel_is_enough_to_receive_to_drain_to_look_and_to_tap() {
    let limited = Limited::new();
    let vhost = &limited.vhost;
    for kind in ["quorum", "classic", "stream"] {
        vhost.declare(&["--type", kind], kind);
        vhost.send(&[kind]).input(numbered(4)).run().expect(0);
        let looked = limited.receive(&["--peek", "4", kind]).run().expect(0);
        assert_eq!(looked.stdout, numbered(4), "{kind}");
        let from: &[&str] = if kind == "stream" { &["--offset", "first"] } else { &[] };
        let one = limited.receive(&["-n", "1", kind]).arguments(from).run().expect(0);
        assert_eq!(one.stdout, numbered(1), "{kind}");
        let rest = limited.receive(&["--drain", kind]).arguments(from).run().expect(0);
        assert!(rest.stdout.ends_with(&numbered(4)[numbered(1).len()..]), "{kind}");
    }
    vhost.add_exchange("x", "fanout");
    let tapping = limited.receive(&["-n", "1", "-e", "x"]).start();
    rmq_tests::wait::wait_until(std::time::Duration::from_secs(20), "a tap", || {
        let send = vhost.send(&["--quiet", "-e", "x", "-b", "hello"]).run();
        send.status.code() == Some(0)
    });
    assert_eq!(tapping.wait().expect(0).stdout, b"hello\n");
}

#[test]
fn one_channel_is_enough_to_find_a_dead_letter_exchange_and_to_go_on_after_a_lost_connection() {
    let limited = Limited::new();
    let vhost = &limited.vhost;
    vhost.declare(&[], "dead");
    let letters = ["--dead-letter-exchange", "", "--dead-letter-key", "dead"];
    vhost.declare(&letters, "q");
    vhost.send(&["q"]).input(numbered(3)).run().expect(0);
    let words = ["--drain", "--on-failure", "dead-letter", "q", "--", "false"];
    limited.receive(&words).run().expect(0);
    vhost.wait_held("dead", Held::ready(3));
    // After a lost connection, a drain checks once more on another channel.
    let draining = limited.receive(&["--idle", "3s", "q"]).start();
    vhost.wait_held("q", Held { consumers: 1, ..Held::default() });
    vhost.close_connection_of(draining.pid(), "test");
    vhost.wait_held("q", Held { consumers: 1, ..Held::default() });
    vhost.send(&["q"]).input(numbered(2)).run().expect(0);
    assert_eq!(draining.wait().expect(0).stdout, numbered(2));
}
