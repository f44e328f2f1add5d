//! Nodes that cannot reach one another.

use rmq_tests::apart::test_apart;
use rmq_tests::brokers::release;
use rmq_tests::cluster::Cluster;
use rmq_tests::managed::{MANAGEMENT, WAYS, Way};
use rmq_tests::wait::{wait_equal, wait_until};
use std::time::Duration;

/// A node that falls silent is missed after five seconds, and the API learns of it five seconds later.
const NOTICED: Duration = Duration::from_secs(60);

#[test]
fn nodes_that_are_separated_are_named_by_both_ways() {
    if !test_apart("administration::partitions::nodes_that_are_separated_are_named_by_both_ways") {
        return;
    }
    // Nodes that pause, or restart, would not be seen as separated.
    let ignore = ["--config", "cluster_partition_handling = ignore"];
    let cluster = Cluster::up_with(3, &release(), &[&MANAGEMENT[..], &ignore].concat());
    let name = |node: usize| cluster.variable(&format!("RMQ_NODE{node}_NAME"));
    let status = |way: Way| {
        let ended = way.perm(&cluster).arguments(&["cluster-status"]).run();
        (ended.status.code(), ended.stderr)
    };
    let healthy = (Some(0), String::new());
    let wrong = |what: String| (Some(1), format!("rmq-perm: cluster-status: {what}\n"));
    for way in WAYS {
        wait_equal(NOTICED, &healthy, || status(way));
    }
    cluster.partition(&[3]);
    for way in WAYS {
        wait_equal(NOTICED, &wrong(format!("{} is down", name(3))), || status(way));
    }
    cluster.reunite();
    for way in WAYS {
        // On 4.3 a majority decides, and after that nothing has to be done. Which pairs the others
        // report, and when, is by chance.
        let is_right = |(code, stderr): &(Option<i32>, String)| match release().as_str() {
            "4.3" => *code == Some(0) && stderr.is_empty(),
            _ => *code == Some(1) && stderr.contains(" is separated from "),
        };
        wait_until(NOTICED, "the partition is reported", || is_right(&status(way)));
    }
}
