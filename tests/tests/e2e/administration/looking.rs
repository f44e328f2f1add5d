//! What there is to be seen of a cluster and its queues, the same by both ways.

use rmq_tests::brokers::release;
use rmq_tests::cluster::Cluster;
use rmq_tests::managed::{MANAGEMENT, WAYS, Way, managed};
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_equal;
use std::time::Duration;

/// The broker collects what it tells by HTTP every five seconds.
const COLLECTED: Duration = Duration::from_secs(40);

fn rows(cluster: &Cluster, way: Way, words: &[&str]) -> Vec<Vec<String>> {
    let told = way.perm(cluster).arguments(words).run().expect(0);
    let text = String::from_utf8(told.stdout).unwrap();
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

#[test]
fn messages_and_consumers_are_counted_in_queues_of_each_type() {
    let cluster = managed();
    let vhost = Vhost::new(cluster);
    let arguments = |kind: &str| format!("{{\"x-queue-type\":\"{kind}\"}}");
    let mut wanted = Vec::new();
    for (kind, count) in [("classic", "2"), ("quorum", "3"), ("stream", "4")] {
        vhost.declare(&["--quiet", "--type", kind], kind);
        let lines = "line\n".repeat(count.parse().unwrap());
        vhost.send(&[kind]).input(lines).run().expect(0);
        let row = [kind, kind, count, if kind == "quorum" { "1" } else { "0" }, "running"];
        wanted.push(row.map(str::to_owned).into_iter().chain([arguments(kind)]).collect());
    }
    // Nothing leaves the pipe, so nothing is acknowledged.
    let mut receiving = vhost.receive(&["quorum"]).output_to_pipe().start();
    let _unread = receiving.take_output();
    for way in WAYS {
        wait_equal(COLLECTED, &wanted, || {
            rows(cluster, way, &["list-queues", "-v", "-p", &vhost.name])
        });
    }
}

#[test]
fn members_that_run_are_short_of_something_or_down_are_told_of() {
    let cluster = Cluster::up_with(3, &release(), &MANAGEMENT);
    let vhost = Vhost::new(&cluster);
    // Only this row's node has it, and nobody else once that is down.
    let url = format!(
        "amqp://{}:{}@127.0.0.1:{}/{}",
        vhost.name,
        rmq_tests::vhost::PASSWORD,
        cluster.variable("RMQ_NODE3_AMQP_PORT"),
        vhost.name
    );
    rmq_tests::tool::Tool::new("rmq-declare")
        .arguments(&["--url", &url, "--type", "classic", "alone"])
        .run()
        .expect(0);
    vhost.declare(&["--quiet"], "together");
    vhost.send(&["together"]).input("line\n").run().expect(0);
    cluster.erlang("begin rabbit_alarm:set_alarm({{resource_limit, disk, node()}, []}), \"\" end");
    cluster.kill(&[3]);
    // How a member is: name, state, version, alarms, and how many listeners it has.
    let told = |way| {
        let rows = rows(&cluster, way, &["cluster-status"]);
        let told = |row: &Vec<String>| {
            let listeners = row[7].split(',').filter(|listener| *listener != "-").count();
            (row[0].clone(), row[1].clone(), row[2].clone(), row[5].clone(), listeners)
        };
        rows.iter().map(told).collect::<Vec<_>>()
    };
    let version = rows(&cluster, Way::Distribution, &["cluster-status"])[0][2].clone();
    let member = |node: usize, state: &str, version: &str, alarms: &str, listeners| {
        let name = cluster.variable(&format!("RMQ_NODE{node}_NAME")).to_owned();
        (name, state.to_owned(), version.to_owned(), alarms.to_owned(), listeners)
    };
    let wanted = vec![
        member(1, "running", &version, "disk", 3),
        member(2, "running", &version, "-", 3),
        member(3, "down", "-", "-", 0),
    ];
    let queues =
        [["alone", "classic", "-", "-", "down"], ["together", "quorum", "1", "0", "running"]];
    let queues: Vec<Vec<String>> =
        queues.iter().map(|row| row.map(str::to_owned).to_vec()).collect();
    for way in WAYS {
        wait_equal(COLLECTED, &wanted, || told(way));
        wait_equal(COLLECTED, &queues, || {
            let mut rows = rows(&cluster, way, &["list-queues", "-v", "-p", &vhost.name]);
            rows.iter_mut().for_each(|row| row.truncate(5));
            rows
        });
    }
}
