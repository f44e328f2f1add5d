//! `list-connections` and `close-connections`, identical over both transports.

use rmq_tests::cluster::Cluster;
use rmq_tests::managed::{WAYS, Way, managed};
use rmq_tests::scale::scale;
use rmq_tests::tool::Ended;
use rmq_tests::vhost::{PASSWORD, Vhost};
use rmq_tests::wait::{wait_equal, wait_for};
use rustix::process::Signal;
use std::time::Duration;

/// The broker collects what it reports over HTTP every five seconds.
const COLLECTED: Duration = Duration::from_secs(40);

fn perm(cluster: &Cluster, way: Way, words: &[&str]) -> Ended {
    way.perm(cluster).arguments(words).run()
}

fn listed(cluster: &Cluster, way: Way, words: &[&str]) -> Vec<Vec<String>> {
    let text = String::from_utf8(perm(cluster, way, words).expect(0).stdout).unwrap();
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

#[test]
fn what_is_connected_is_listed_whatever_a_client_calls_itself() {
    let cluster = managed();
    let vhost = Vhost::new(cluster);
    vhost.declare(&["--quiet", "--type", "classic"], "q");
    let receiving = vhost.receive(&["q"]).start();
    let mine = format!("pid {}", receiving.pid());
    // No client of ours has such a name, so the broker itself is one.
    cluster.erlang(&format!(
        "begin spawn(fun() -> {{ok, _}} = amqp_connection:start({{amqp_params_network, \
         <<\"{name}\">>, <<\"{PASSWORD}\">>, <<\"{name}\">>, \"127.0.0.1\", {port}, 0, 0, 10, 60000, \
         none, [fun amqp_auth_mechanisms:plain/3], [{{<<\"connection_name\">>, longstr, \
         <<\"a\\tb\", 255, 27>>}}], []}}), receive stop -> ok end end), \"\" end",
        name = vhost.name,
        port = cluster.variable("RMQ_NODE1_AMQP_PORT"),
    ));
    let words = ["list-connections", &vhost.name];
    // What is the same of each: user, vhost, the client's own name, state.
    let shown = |way: Way, words: &[&str]| {
        let rows = listed(cluster, way, words);
        let mut rows: Vec<[String; 4]> =
            rows.iter().map(|row| [1, 2, 4, 5].map(|at| row[at].clone())).collect();
        rows.iter_mut().filter(|row| row[2].contains(&mine)).for_each(|row| {
            row[2] = "ours".to_owned();
        });
        rows.sort();
        rows
    };
    let row = |name: &str| [&vhost.name, &vhost.name, name, "running"].map(str::to_owned);
    let wanted = vec![row("a\\tb\\xff\\x1b"), row("ours")];
    for way in WAYS {
        wait_equal(COLLECTED, &wanted, || shown(way, &words));
        assert_eq!(shown(way, &["list-connections", "-p", &vhost.name]), wanted, "{way:?}");
        assert_eq!(
            shown(way, &["list-connections", "-p", "/", &vhost.name]),
            Vec::<[String; 4]>::new()
        );
    }
    let both = WAYS.map(|way| listed(cluster, way, &["-v", words[0], words[1]]));
    assert_eq!(both[0], both[1]);
    let row = &both[0][0];
    assert!(row[0].starts_with(&row[3]) && row[3].starts_with("127.0.0.1:"), "{row:?}");
    assert!(row[6].ends_with('Z') && row[6].len() == "2026-11-28T12:00:00Z".len(), "{row:?}");
    assert_eq!(row[7..], [cluster.variable("RMQ_NODE1_NAME"), "AMQP 0-9-1"]);
    for way in WAYS {
        perm(cluster, way, &["list-connections", "nobody"])
            .expect(67)
            .says("list connections of nobody: no such user");
        perm(cluster, way, &["list-connections", "-p", "nowhere"]).expect(65).says("no such vhost");
    }
}

#[test]
fn a_users_connections_are_closed_and_nobody_elses() {
    let cluster = managed();
    for way in WAYS {
        let vhost = Vhost::new(cluster);
        vhost.declare(&["--quiet", "--type", "classic"], "q");
        let leaving = format!("{}-leaving", vhost.name);
        vhost.add_user(&leaving, [".*", ".*", ".*"]);
        let staying = vhost.receive(&["q"]).start();
        let url = vhost.url_for(&leaving);
        let receiving: Vec<_> =
            (0..3).map(|_| vhost.receive(&["--url", &url, "q"]).start()).collect();
        let count = || vhost.connections().iter().filter(|it| it.user == leaving).count();
        wait_equal(Duration::from_secs(20), &3, count);
        let here = ["close-connections", &leaving, "-p", &vhost.name];
        assert_eq!(perm(cluster, way, &here).expect(0).stdout, b"3\n", "{way:?}");
        // They connect again.
        wait_equal(Duration::from_secs(20), &3, count);
        let stays = vhost.connection_of(staying.pid()).pid;
        let close = ["close-connections", &leaving, "--reason", "moved away"];
        let dry = [&close[..], &["--dry-run"]].concat();
        assert_eq!(perm(cluster, way, &dry).expect(0).stdout, b"3\n");
        let elsewhere = [&close[..], &["-p", "/"]].concat();
        assert_eq!(perm(cluster, way, &elsewhere).expect(0).stdout, b"0\n");
        assert_eq!(count(), 3);
        // Another password alone leaves them connected.
        let changed = way.perm(cluster).arguments(&["change-password", &leaving]);
        changed.input("another one\n").run().expect(0);
        assert_eq!(count(), 3);
        // As rabbitmqctl does it.
        let same = ["close_all_user_connections", &leaving, "moved away"];
        let making = if way == WAYS[0] { &same[..] } else { &close[..] };
        assert_eq!(perm(cluster, way, making).expect(0).stdout, b"3\n", "{way:?}");
        assert_eq!(count(), 0);
        for each in receiving {
            each.wait().expect(77).says("moved away");
        }
        assert_eq!(vhost.connection_of(staying.pid()).pid, stays);
        assert_eq!(perm(cluster, way, &close).expect(0).stdout, b"0\n");
        perm(cluster, way, &["close-connections", "nobody"]).expect(67).says("no such user");
        perm(cluster, way, &["close-connections", &leaving, "--reason", "a\nb"])
            .expect(64)
            .says("--reason: give one line");
        perm(cluster, way, &["delete-user", &leaving]).expect(0);
    }
}

#[test]
fn a_client_that_does_not_answer_is_reported() {
    let cluster = managed();
    // The tool waits five seconds for it.
    for way in if scale().all_cells { &WAYS[..] } else { &WAYS[..1] } {
        let vhost = Vhost::new(cluster);
        vhost.declare(&["--quiet", "--type", "classic"], "q");
        let stopped = vhost.receive(&["q"]).start();
        vhost.connection_of(stopped.pid());
        stopped.signal(Signal::STOP);
        let told = perm(cluster, *way, &["close-connections", &vhost.name]).expect(0);
        assert_eq!(told.stdout, b"1\n");
        told.says("1 of 1 clients have not answered yet");
        stopped.signal(Signal::KILL);
        wait_for(Duration::from_secs(20), "its end", || {
            vhost.connections().is_empty().then_some(())
        });
    }
}
