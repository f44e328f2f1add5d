//! Nodes that cannot reach one another.

use rmq_tests::apart::test_apart;
use rmq_tests::brokers::release;
use rmq_tests::cluster::Cluster;
use rmq_tests::managed::{MANAGEMENT, WAYS, Way};
use rmq_tests::wait::wait_equal;
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
    let (one, two, three) = (name(1), name(2), name(3));
    let separated = format!("{one} is separated from {three}; {two} is separated from {three}; ");
    for way in WAYS {
        let then = match (release().as_str(), way) {
            // A majority decides, and after that nothing has to be done.
            ("4.3", _) => healthy.clone(),
            (_, Way::Distribution) => {
                wrong(format!("{separated}{three} is separated from {one}, {two}"))
            }
            // The API goes on seeing it as the node asked does.
            (_, Way::Http) => wrong(format!("{separated}{three} is down")),
        };
        wait_equal(NOTICED, &then, || status(way));
    }
}
