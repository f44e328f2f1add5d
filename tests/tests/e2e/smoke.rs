//! The complete main path, which `make smoke` repeats on another release of RabbitMQ.

use rmq_tests::brokers;
use rmq_tests::cluster::Cluster;
use rmq_tests::observe::Held;
use rmq_tests::scale::scale;
use rmq_tests::text::log_lines;
use rmq_tests::tool::{Ended, Tool};
use rmq_tests::vhost::Vhost;
use rustix::process::Signal;

/// rmq-perm on a cluster, as its operator runs it.
fn perm(cluster: &Cluster, words: &[&str]) -> Tool {
    let cookie = ["--cookie-file", cluster.variable("RMQ_COOKIE_FILE")];
    Tool::new("rmq-perm")
        .environment("RABBITMQ_NODENAME", cluster.variable("RABBITMQ_NODENAME"))
        .environment("ERL_EPMD_PORT", cluster.variable("ERL_EPMD_PORT"))
        .arguments(&cookie)
        .arguments(words)
}

fn rows(ended: &Ended) -> Vec<Vec<String>> {
    let text = String::from_utf8(ended.stdout.clone()).unwrap();
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// Removes what the walkthrough leaves.
struct Walked<'a>(&'a Cluster);

impl Drop for Walked<'_> {
    fn drop(&mut self) {
        let _ = self.0.try_erlang(
            1,
            "begin catch rabbit_vhost:delete(<<\"/testvhost\">>, <<\"tests\">>), [catch \
             rabbit_auth_backend_internal:delete_user(U, <<\"tests\">>) || U <- [<<\"subro\">>, \
             <<\"developer\">>]], \"\" end",
        );
    }
}

#[test]
fn the_walkthrough_goes_from_an_empty_cluster_to_a_message_received() {
    let cluster = brokers::three();
    let _walked = Walked(cluster);
    let perm = |words: &[&str]| perm(cluster, words);

    let status = perm(&["cluster-status"]).run().expect(0);
    let nodes = rows(&status);
    for node in 1..=3 {
        let name = cluster.variable(&format!("RMQ_NODE{node}_NAME"));
        let row = nodes.iter().find(|row| row[0] == name);
        assert_eq!(row.map(|row| row[1].as_str()), Some("running"), "{nodes:?}");
    }

    perm(&["add-vhost", "/testvhost"]).run().expect(0);
    let vhosts = rows(&perm(&["list-vhosts"]).run().expect(0));
    assert!(vhosts.contains(&vec!["/testvhost".to_owned()]), "{vhosts:?}");

    perm(&["add-user", "subro"]).input(*b"rabbit-hole-7\n").run().expect(0);
    perm(&["add-user", "developer"]).input(*b"rabbit-hole-8\n").run().expect(0);
    let users = rows(&perm(&["list-users"]).run().expect(0));
    assert!(users.iter().any(|row| row[0] == "subro"), "{users:?}");

    perm(&["set", "-p", "/testvhost", "subro", ".*", ".*", ".*"]).run().expect(0);
    perm(&["set", "-p", "/testvhost", "developer", "", ".*", ".*"]).run().expect(0);
    let listed = rows(&perm(&["list", "-p", "/testvhost"]).run().expect(0));
    assert!(
        listed.contains(&["subro", ".*", ".*", ".*"].map(str::to_owned).to_vec()),
        "{listed:?}"
    );

    // `$AMQP_URL` gives the host and the login, -p the vhost, without %2F.
    let as_user = |user: &str, password: &str, tool: &str, words: &[&str]| {
        let url = format!("amqp://{user}:{password}@{}", cluster.hosts());
        let tool = Tool::new(tool).environment("AMQP_URL", &url);
        tool.arguments(&["-p", "/testvhost"]).arguments(words)
    };
    let operator = |tool: &str, words: &[&str]| as_user("subro", "rabbit-hole-7", tool, words);
    let developer = |tool: &str, words: &[&str]| as_user("developer", "rabbit-hole-8", tool, words);

    let declared = operator("rmq-declare", &["test"]).run().expect(0);
    assert_eq!(declared.stdout, b"test\t0\t0\n");
    developer("rmq-declare", &["another"]).run().expect(77).says("configure");

    let vhost = Vhost::named(cluster, "/testvhost");
    let queue = || rows(&perm(&["list-queues", "-p", "/testvhost"]).run().expect(0)).remove(0);
    assert_eq!(queue()[..2], ["test", "quorum"]);
    developer("rmq-send", &["test"]).input(*b"Hello World!\n").run().expect(0);
    vhost.wait_held("test", Held::ready(1));
    let checked = operator("rmq-declare", &["--check", "test"]).run().expect(0);
    assert!(checked.stdout.starts_with(b"test\t"), "{checked:?}");

    let receiving = developer("rmq-recv", &["test"]).start();
    receiving.wait_stdout(b"Hello World!\n".len());
    vhost.wait_held("test", Held { consumers: 1, ..Held::default() });
    receiving.signal(Signal::INT);
    let received = receiving.wait().expect_signal(Signal::INT);
    assert_eq!(received.stdout, b"Hello World!\n");
    vhost.wait_held("test", Held::ready(0));
}

#[test]
fn log_lines_go_through_a_filter_from_queue_to_queue() {
    let vhost = Vhost::new(brokers::three());
    vhost.declare(&[], "in");
    vhost.declare(&[], "out");
    let text = log_lines(scale().log_lines / 4);
    vhost.send(&["in"]).input(text.clone()).run().expect(0);
    let mut receiving = vhost.receive(&["--drain", "in"]).output_to_pipe().start();
    let mut filter =
        Tool::program("cat").input_from(receiving.take_output()).output_to_pipe().start();
    let sending = vhost.send(&["out"]).input_from(filter.take_output()).start();
    receiving.wait().expect(0);
    filter.wait().expect(0);
    sending.wait().expect(0);
    vhost.wait_held("in", Held::ready(0));
    assert!(vhost.drain("out") == text, "not what was sent");
    vhost.wait_held("out", Held::ready(0));
}
