//! Users of the management API who are not administrators: what they may see is listed, and what they
//! lack is named.

use super::output;
use rmq_tests::brokers::release;
use rmq_tests::cluster::Cluster;
use rmq_tests::managed::{MANAGEMENT, WAYS, http_address};
use rmq_tests::tool::Tool;

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
    let wait = by("user", &["wait", "--retry", "5"]).expect(77);
    wait.says("wait: user lacks the tag monitoring");
}
