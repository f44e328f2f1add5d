//! The ten mistakes that everybody makes once: each gives within ten seconds a line from which one who
//! does not know the tools can act, and a job of cron's that succeeds says nothing.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::secured::{Listener, secured};
use rmq_tests::tool::{Ended, Tool};
use rmq_tests::vhost::{PASSWORD, Vhost};
use rmq_tests::wait::wait_until;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

/// Each tool that speaks AMQP, doing something with the queue `q` of this URL.
fn each(url: &str, what: impl Fn(&str, Ended)) {
    for (name, words) in [
        ("rmq-declare", &["q"][..]),
        ("rmq-send", &["-b", "x", "q"]),
        ("rmq-recv", &["-n", "1", "--timeout", "9s", "q"]),
    ] {
        let ended =
            Tool::new(name).arguments(&["--retry", "1s", "--url", url]).arguments(words).run();
        assert!(ended.took < SOON, "{}: {:?}", ended.command, ended.took);
        what(name, ended);
    }
}

/// It has ended with this status and one line that says all of this.
#[track_caller]
fn one_line(ended: Ended, status: i32, says: &[&str]) {
    let ended = ended.expect(status);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    says.iter().fold(ended, |ended, says| ended.says(says));
}

#[test]
fn a_wrong_password_virtual_host_or_port_is_named_by_every_tool() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let (name, hosts) = (&vhost.name, vhost.cluster.hosts());
    each(&vhost.url().replace(PASSWORD, "wrong"), |_, ended| {
        one_line(ended, 77, &["log in to 127.0.0.1:", &format!(" as {name}: "), "refused"]);
    });
    each(&format!("amqp://{name}:{PASSWORD}@{hosts}/nowhere"), |_, ended| {
        one_line(ended, 65, &["open vhost nowhere on 127.0.0.1:", ": no such vhost"]);
    });
    each(&format!("amqp://{name}:{PASSWORD}@127.0.0.1:1/{name}"), |_, ended| {
        one_line(ended, 69, &["connect to 127.0.0.1:1: Connection refused (tried for 1s)"]);
    });
    vhost.wait_held("q", Held { ready: 0, unacked: 0, consumers: 0 });
}

#[test]
fn tls_where_there_is_none_and_none_where_there_is_are_told_apart() {
    let secured = secured();
    let vhost = Vhost::new(&secured.cluster);
    let plain = vhost.url().replace("amqp://", "amqps://");
    each(&plain, |_, ended| {
        one_line(ended, 69, &["it does not speak TLS there (amqp://"]);
    });
    let tls = secured.url(Listener::Good, &vhost).replace("amqps://", "amqp://");
    each(&tls, |_, ended| {
        one_line(ended, 69, &["it speaks TLS there (amqps://)"]);
    });
}

#[test]
fn what_is_missing_not_permitted_or_other_is_named_with_its_queue() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let (name, missing) = (&vhost.name, "nothing");
    for words in [["rmq-send", "-bx"], ["rmq-recv", "--drain"], ["rmq-declare", "--check"]] {
        let ended = vhost.tool(words[0]).arguments(&[words[1], missing]).run();
        assert!(ended.took < SOON);
        match words[0] {
            "rmq-declare" => {
                let ended = ended.expect(1);
                assert_eq!(ended.stdout, b"nothing\tmissing\n");
            }
            _ => one_line(ended, 65, &["nothing: no such queue in vhost ", name]),
        }
    }
    vhost.add_user("nobody-much", ["", "", ""]);
    each(&vhost.url_for("nobody-much"), |tool, ended| {
        let permission = match tool {
            "rmq-declare" => "configure",
            "rmq-send" => "write",
            _ => "read",
        };
        // AMQP does not name the permission that publishing lacks.
        let says = if tool == "rmq-declare" { permission } else { "refused for user" };
        let ended = ended.expect(77).says(says).says("nobody-much");
        // rmq-send prints its tally first.
        let most = if tool == "rmq-send" { 2 } else { 1 };
        assert!(ended.stderr.lines().count() <= most, "{}", ended.stderr);
    });
    vhost.cluster.erlang(
        "begin rabbit_auth_backend_internal:delete_user(<<\"nobody-much\">>, <<\"tests\">>), \"\" end",
    );
    let ended = vhost.tool("rmq-declare").arguments(&["--max-length", "7", "q"]).run();
    assert!(ended.took < SOON);
    one_line(ended, 65, &["q", "max-length", "7"]);
}

#[test]
fn a_disk_alarm_and_its_end_are_a_line_each_however_long_it_takes() {
    let cluster = brokers::one_to_break();
    let vhost = Vhost::filled(&cluster, 0);
    cluster.control(1, &["set_disk_free_limit", "100000GB"]);
    let mut sending = vhost.send(&["q"]).open_input().start();
    sending.feed(b"x\n");
    sending.wait_stderr("rmq-send: the broker blocks publishing (low on disk); waiting\n");
    let gives_up = vhost.send(&["--retry", "6s", "-b", "x", "q"]).run().expect(75);
    cluster.control(1, &["set_disk_free_limit", "1MB"]);
    gives_up.says("the broker has blocked the connection (disk alarm) (--retry 6s)");
    // Its confirm may come first, and then the run would be over.
    sending.wait_stderr("rmq-send: the broker accepts messages again\n");
    let sent = sending.finish().expect(0);
    assert_eq!(
        sent.stderr,
        "rmq-send: the broker blocks publishing (low on disk); waiting\n\
         rmq-send: the broker accepts messages again\n"
    );
}

#[test]
fn a_lost_majority_is_a_line_of_each_tool_and_its_end_another() {
    let cluster = brokers::three_to_break();
    let vhost = Vhost::filled(&cluster, 0);
    let reading = vhost.receive(&["-n", "2", "q"]).start();
    vhost.wait_held("q", Held { ready: 0, unacked: 0, consumers: 1 });
    cluster.kill(&[2, 3]);
    // The node that is left, so that no other one is tried in vain.
    let url = format!("amqp://{}:{PASSWORD}@{}/{}", vhost.name, alone(&vhost), vhost.name);
    let start = |name: &str, words: &[&str]| {
        Tool::new(name).arguments(&["--url", &url]).arguments(words).timeout(LONG).start()
    };
    let sending = start("rmq-send", &["-b", "x", "q"]);
    let receiving = start("rmq-recv", &["-n", "1", "q"]);
    let watched = start("rmq-recv", &["-v", "q"]);
    let declaring = start("rmq-declare", &["--delivery-limit", "unlimited", "another"]);
    declaring.wait_stderr("queue another: no answer for 5 s, the cluster may have no majority; ");
    receiving.wait_stderr("no answer from 127.0.0.1:");
    wait_until(LONG, "what the sender waits for", || {
        let said = sending.stderr();
        said.contains("it has no leader; trying") || said.contains("no majority")
    });
    // Which is not news to one who knows that no answer comes.
    watched.wait_stderr("lost the connection to ");
    cluster.start(&[2, 3]);
    // One receiver may be given the first two.
    vhost.send(&["q"]).input("a\nb\nc\nd\n").run().expect(0);
    let received = receiving.wait().expect(0);
    let times = |what: &str| received.stderr.matches(what).count();
    let counts = ["no answer from ", "lost the connection to "].map(times);
    assert_eq!(counts, [1, 0], "{}", received.stderr);
    let is_over = ["connected to ", " answers again"].map(times);
    assert_eq!(is_over.iter().sum::<usize>(), 1, "{}", received.stderr);
    let sent = sending.wait().expect(0);
    assert_eq!(sent.stderr.matches("are confirmed again, after ").count(), 1, "{}", sent.stderr);
    let declared = declaring.wait().expect(0);
    assert_eq!(declared.stderr.matches("no majority").count(), 1, "{}", declared.stderr);
    drop([reading, watched]);
}

const LONG: Duration = Duration::from_secs(120);

/// The address of the first node.
fn alone<'a>(vhost: &'a Vhost<'_>) -> &'a str {
    vhost.cluster.hosts().split(',').next().unwrap()
}

#[test]
fn cron_hears_nothing_of_what_succeeds() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let directory = tempfile::tempdir().unwrap();
    let stats = directory.path().join("stats.prom");
    for words in [
        &["rmq-declare", "--delivery-limit", "unlimited", "q2"][..],
        &["rmq-declare", "--check", "q2"],
        &["rmq-send", "-b", "x", "q2"],
        &["rmq-send", "--progress", "--stats", stats.to_str().unwrap(), "-b", "x", "q2"],
        &["rmq-recv", "--progress", "-n", "1", "q2"],
        &["rmq-recv", "--drain", "q2", "--", "true"],
    ] {
        let ended = vhost.tool(words[0]).arguments(&words[1..]).run().expect(0);
        assert_eq!(ended.stderr, "", "{words:?}");
    }
}
