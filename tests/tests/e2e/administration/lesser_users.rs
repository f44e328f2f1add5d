//! Users of the management API who are not administrators: what they may see is listed, and what
//! they lack is named.

use super::output;
use rmq_tests::brokers::release;
use rmq_tests::cluster::Cluster;
use rmq_tests::managed::{MANAGEMENT, WAYS, http_address};
use rmq_tests::tool::Tool;
use rmq_tests::wait::wait_until;
use std::time::Duration;

#[test]
fn who_may_monitor_lists_the_virtual_hosts_with_permissions_and_is_told_of_the_others() {
    let cluster = Cluster::up_with(1, &release(), &MANAGEMENT);
    let perm = |arguments: &[&str]| WAYS[0].perm(&cluster).arguments(arguments);
    perm(&["add-vhost", "a"]).run().expect(0);
    perm(&["add-vhost", "b"]).run().expect(0);
    for (user, tag) in [("watcher", "monitoring"), ("user", "management")] {
        perm(&["add-user", "--tags", tag, user]).input("pass-7\n").run().expect(0);
    }
    let by = |user: &str, arguments: &[&str]| {
        let url = format!("http://{user}:pass-7@{}", http_address(&cluster));
        Tool::new("rmq-perm").arguments(&["--api", &url]).arguments(arguments).run()
    };
    for list in ["list-exchanges", "list-bindings", "list-queues"] {
        by("watcher", &[list, "--all"]).expect(77).says("has no permissions on the virtual host");
    }
    perm(&["set", "-p", "b", "watcher", "", "", ".*"]).run().expect(0);
    let listed = by("watcher", &["list-exchanges", "--all"]).expect(0);
    assert!(output(&listed).lines().all(|line| line.starts_with("b\t")), "{}", output(&listed));
    listed.says("a is left out: watcher has no permissions on the virtual host");
    // RabbitMQ 3.10 has no words for it.
    for words in [&["list-connections", "watcher"][..], &["close-connections", "watcher"]] {
        by("user", words).expect(77).says("of watcher: user lacks the tag monitoring (or admin");
    }
    let url =
        format!("amqp://watcher:pass-7@127.0.0.1:{}/b", cluster.variable("RMQ_NODE1_AMQP_PORT"));
    let receive = ["--url", &url, "-e", "amq.topic", "-r", "k"];
    perm(&["set", "-p", "b", "watcher", ".*", ".*", ".*"]).run().expect(0);
    let mut watching = Tool::new("rmq-recv").arguments(&receive).start();
    let listed = || output(&by("watcher", &["list-connections", "watcher"]));
    wait_until(Duration::from_secs(40), "a connection", || listed().contains("\twatcher\tb\t"));
    perm(&["add-user", "--tags", "monitoring", "other"]).input("pass-7\n").run().expect(0);
    perm(&["set", "-p", "b", "other", "", "", ""]).run().expect(0);
    for more in [&[][..], &["-p", "b"]] {
        let words = [&["close-connections", "watcher"], more].concat();
        by("other", &words).expect(77).says("of watcher: other lacks the tag administrator");
    }
    assert!(watching.is_running(), "{}", watching.stderr());
    let wait = by("user", &["wait", "--retry", "5"]).expect(77);
    wait.says("wait: user lacks the tag monitoring");
}
