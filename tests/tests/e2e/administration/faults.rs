//! What goes wrong on the way, each fault with its sentence and its exit status.

use rmq_tests::brokers::release;
use rmq_tests::cluster::Cluster;
use rmq_tests::lost_answers::answers_after;
use rmq_tests::managed::{MANAGEMENT, WAYS, Way, http_address, managed};
use rmq_tests::tool::Tool;
use rustix::process::Signal;
use std::time::Duration;

#[test]
fn a_change_whose_answer_is_lost_may_have_been_made_and_is_not_made_again() {
    let cluster = managed();
    for way in WAYS {
        let user = format!("lost-{}", way.name());
        let tool = match way {
            Way::Distribution => {
                let node = format!("127.0.0.1:{}", cluster.variable("RMQ_NODE1_DIST_PORT"));
                let port = answers_after("add_user", &node).port().to_string();
                way.perm(cluster).arguments(&["--dist-port", &port])
            }
            Way::Http => {
                let url = format!("http://{}", answers_after("PUT ", &http_address(cluster)));
                Tool::new("rmq-perm").arguments(&["--api", &url])
            }
        };
        let words = ["--timeout", "2s", "add-user", &user];
        let told = tool.arguments(&words).input("secret\n").run().expect(75);
        let told = told.says(&format!("add user {user}: no answer from "));
        assert!(told.stderr.ends_with("within 2s; whether it was done is unknown\n"), "{told:?}");
        // The question had gone through.
        rmq_tests::wait::wait_until(Duration::from_secs(10), "the user", || {
            let seen = way.perm(cluster).arguments(&["list-users"]).run().expect(0);
            String::from_utf8_lossy(&seen.stdout).contains(&user)
        });
        way.perm(cluster).arguments(&["delete-user", &user]).run().expect(0);
    }
}

#[test]
fn a_deletion_without_an_answer_goes_on_by_distribution_and_stops_by_http() {
    let cluster = managed();
    for way in WAYS {
        let vhost = format!("unfinished-{}", way.name());
        let add = || way.perm(cluster).arguments(&["add-vhost", &vhost]).run().expect(0);
        let (tool, hint) = match way {
            Way::Distribution => {
                let node = format!("127.0.0.1:{}", cluster.variable("RMQ_NODE1_DIST_PORT"));
                let port = answers_after("delete", &node).port().to_string();
                let dist_port: &[&str] = &["--dist-port", &port];
                let tool = way.perm(cluster).arguments(dist_port);
                (tool, "continues to delete it")
            }
            Way::Http => {
                let url = format!("http://{}", answers_after("DELETE ", &http_address(cluster)));
                (
                    Tool::new("rmq-perm").arguments(&["--api", &url]),
                    "stopped in the middle; run it again",
                )
            }
        };
        add();
        let deleting = tool.arguments(&["--timeout", "30s", "delete-vhost", &vhost]).start();
        // Once it is gone nothing but the answer is waited for.
        rmq_tests::wait::wait_until(Duration::from_secs(10), "the end of the vhost", || {
            let seen = way.perm(cluster).arguments(&["list-vhosts"]).run().expect(0);
            !String::from_utf8_lossy(&seen.stdout).contains(&vhost)
        });
        deleting.signal(Signal::INT);
        let told = deleting.wait().expect_signal(Signal::INT);
        told.says(&format!("delete vhost {vhost}: stopped by a signal; the broker {hint}"));
    }
}

#[test]
fn a_question_whose_answer_is_lost_has_changed_nothing() {
    let cluster = managed();
    let url = format!("http://{}", answers_after("GET /api/users", &http_address(cluster)));
    let tool = Tool::new("rmq-perm").arguments(&["--api", &url, "--timeout", "1s", "list-users"]);
    let told = tool.run().expect(75).says(&format!("list users: no answer from {url} within 1s"));
    assert!(!told.stderr.contains("unknown"), "{}", told.stderr);
}

#[test]
fn a_node_that_is_frozen_stopped_or_without_rabbitmq_is_told_apart_and_one_that_starts_is_awaited()
{
    let cluster = Cluster::up_with(1, &release(), &MANAGEMENT);
    let node = cluster.variable("RABBITMQ_NODENAME");
    let url = format!("http://{}", http_address(&cluster));
    let told = |way: Way, says: &str| {
        let place = if way == Way::Http { &*url } else { node };
        let tool = way.perm(&cluster).arguments(&[
            "--retry",
            "0",
            "--timeout",
            "1s",
            "add-vhost",
            "never",
        ]);
        tool.run().expect(69).says(&format!("rmq-perm: connect to {place}: {says}"));
    };
    cluster.pause(&[1]);
    for way in WAYS {
        told(way, "no answer within 1s");
    }
    cluster.resume(&[1]);
    cluster.control(1, &["stop_app"]);
    told(Way::Distribution, "RabbitMQ is not running on");
    told(Way::Http, "nothing answers there: Connection refused");
    cluster.control(1, &["start_app"]);
    let seen = Way::Distribution.perm(&cluster).arguments(&["list-vhosts"]).run().expect(0);
    assert!(!String::from_utf8_lossy(&seen.stdout).contains("never"), "{seen:?}");
    cluster.stop(&[1]);
    told(Way::Distribution, "the epmd at");
    told(Way::Http, "nothing answers there: Connection refused");
    let waiting = WAYS.map(|way| {
        let words = ["--retry", "100s", "add-vhost", way.name()];
        let waiting = way.perm(&cluster).arguments(&words).start();
        waiting.wait_stderr("; trying again, --retry 100s");
        waiting
    });
    cluster.start(&[1]);
    for waiting in waiting {
        let done = waiting.wait().expect(0);
        assert_eq!(done.stderr.lines().count(), 1, "{}", done.stderr);
    }
    let seen = Way::Distribution.perm(&cluster).arguments(&["list-vhosts"]).run().expect(0);
    assert_eq!(String::from_utf8_lossy(&seen.stdout), "/\ndist\nhttp\n");
}
