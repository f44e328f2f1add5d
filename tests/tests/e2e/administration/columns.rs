//! More columns of `list-queues`, and `list-consumers`, the same by both ways.

use rmq_tests::brokers::release;
use rmq_tests::cluster::Cluster;
use rmq_tests::managed::{MANAGEMENT, WAYS, Way, managed};
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_equal;
use std::time::Duration;

/// The broker collects its HTTP statistics every five seconds.
const COLLECTED: Duration = Duration::from_secs(40);

fn rows(cluster: &Cluster, way: Way, words: &[&str]) -> Vec<Vec<String>> {
    let told = way.perm(cluster).arguments(words).run().expect(0);
    let text = String::from_utf8(told.stdout).unwrap();
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

#[test]
fn what_waits_and_what_consumers_have_is_counted_and_consumers_are_listed() {
    let cluster = managed();
    let vhost = Vhost::new(cluster);
    let name = vhost.name.as_str();
    vhost.declare(&["--quiet"], "jobs");
    vhost.declare(&["--quiet", "--type", "classic"], "other");
    vhost.send(&["jobs"]).input("line\n".repeat(5)).run().expect(0);
    let policy = ["set_policy", "-p", name, "bounded", "^jobs$", r#"{"max-length":1000}"#];
    cluster.control(1, &policy);
    // Nothing leaves the pipe, so nothing is acknowledged.
    let words = ["--prefetch", "2", "jobs"];
    let mut receiving = vhost.receive(&words).output_to_pipe().start();
    let _unread = receiving.take_output();
    let node = cluster.variable("RMQ_NODE1_NAME");
    let columns = ["ready", "unacknowledged", "consumers", "leader", "policy"];
    let words = [&["list-queues", "-p", name, "name"], &columns[..]].concat();
    // The first message is taken with a prefetch of 1, and not acknowledged.
    let wanted = vec![
        row(&["jobs", "4", "1", "1", node, "bounded"]),
        row(&["other", "0", "0", "0", node, "''"]),
    ];
    let everywhere: Vec<_> =
        wanted.iter().map(|row| [&[name.to_owned()], &row[..]].concat()).collect();
    let connection = receiving.pid();
    for way in WAYS {
        wait_equal(COLLECTED, &wanted, || rows(cluster, way, &words));
        let all = rows(cluster, way, &[&["list-queues", "--all", "name"], &columns[..]].concat());
        let mine: Vec<_> = all.into_iter().filter(|row| row[0] == name).collect();
        assert_eq!(mine, everywhere, "{way:?}");
        let words = ["list-queues", "-p", name, "--name", "^(job|x)", "name", "messages_ready"];
        assert_eq!(rows(cluster, way, &words), [row(&["jobs", "4"])], "{way:?}");
        // Without asking for more, nothing has changed.
        let words = ["list-queues", "-p", name];
        assert_eq!(rows(cluster, way, &words)[0], row(&["jobs", "quorum", "5", "1"]), "{way:?}");
        let consumers = rows(cluster, way, &["list-consumers", "-v", "-p", name]);
        let connections = rows(cluster, way, &["list-connections", name]);
        let mine = format!("pid {connection}");
        let of = connections.iter().find(|row| row[4].ends_with(&mine)).unwrap();
        assert_eq!(consumers.len(), 1, "{way:?} {consumers:?}");
        let consumer = &consumers[0];
        assert_eq!((&*consumer[0], &consumer[1]), ("jobs", &of[0]), "{way:?}");
        assert_eq!(consumer[3..], row(&["1", "manual", "true", "false"]), "{way:?}");
        let wrong = way.perm(cluster).arguments(&["list-queues", "--name", "("]).run().expect(64);
        wrong.says("--name (: ");
        let none = way.perm(cluster).arguments(&["list-consumers", "-p", "nowhere"]).run();
        none.expect(65).says("list consumers of nowhere: no such vhost");
    }
}

#[test]
fn queues_keep_their_rows_and_their_policy_while_a_node_is_stopped() {
    let cluster = Cluster::up_with(3, &release(), &MANAGEMENT);
    let vhost = Vhost::new(&cluster);
    let name = vhost.name.as_str();
    let third = format!("127.0.0.1:{}", cluster.variable("RMQ_NODE3_AMQP_PORT"));
    let third = vhost.url_through(&third);
    let policy = ["bounded", "^(classic|three)$", r#"{"max-length":1000}"#];
    cluster.control(1, &[&["set_policy", "-p", name], &policy[..]].concat());
    vhost.declare(&["--quiet", "--url", &third, "--type", "classic"], "classic");
    vhost.declare(&["--quiet", "--url", &third, "--group-size", "1"], "single");
    vhost.declare(&["--quiet"], "three");
    vhost.send(&["three"]).input("line\n").run().expect(0);
    let mut receiving = vhost.receive(&["--url", &third, "three"]).output_to_pipe().start();
    let _unread = receiving.take_output();
    let columns = ["state", "ready", "unacknowledged", "consumers", "policy"];
    let words = [&["list-queues", "-p", name, "name"], &columns[..]].concat();
    let policy = |name: &str| if name == "single" { "''" } else { "bounded" };
    let running = |name, ready, held, consumers| {
        row(&[name, "running", ready, held, consumers, policy(name)])
    };
    let wanted = vec![
        running("classic", "0", "0", "0"),
        running("single", "0", "0", "0"),
        running("three", "0", "1", "1"),
    ];
    for way in WAYS {
        wait_equal(COLLECTED, &wanted, || rows(&cluster, way, &words));
        let consumers = || rows(&cluster, way, &["list-consumers", "-p", name]).len();
        wait_equal(COLLECTED, &1, consumers);
    }
    let leaders =
        WAYS.map(|way| rows(&cluster, way, &["list-queues", "-p", name, "name", "leader"]));
    assert_eq!(leaders[0], leaders[1]);
    let node = cluster.variable("RMQ_NODE3_NAME");
    assert_eq!(leaders[0][..2], [row(&["classic", node]), row(&["single", node])]);
    cluster.control(3, &["stop_app"]);
    let down = |name| row(&[name, "down", "-", "-", "-", policy(name)]);
    let wanted = vec![down("classic"), down("single"), running("three", "1", "0", "0")];
    for way in WAYS {
        wait_equal(COLLECTED, &wanted, || rows(&cluster, way, &words));
        let leaders = rows(&cluster, way, &["list-queues", "-p", name, "leader"]);
        assert_eq!(leaders[..2], [row(&["-"]), row(&["-"])], "{way:?}");
        assert_ne!(leaders[2], row(&["-"]), "{way:?}");
    }
}
