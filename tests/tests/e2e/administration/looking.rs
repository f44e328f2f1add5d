//! What can be seen of a cluster and its queues, identical over both transports.

use rmq_tests::brokers::release;
use rmq_tests::cluster::Cluster;
use rmq_tests::managed::{MANAGEMENT, WAYS, Way, managed};
use rmq_tests::tool::Ended;
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_equal;
use std::time::Duration;

/// The broker collects what it reports over HTTP every five seconds.
const COLLECTED: Duration = Duration::from_secs(40);

fn rows(cluster: &Cluster, way: Way, words: &[&str]) -> Vec<Vec<String>> {
    rows_of(way.perm(cluster).arguments(words).run().expect(0))
}

fn rows_of(ended: Ended) -> Vec<Vec<String>> {
    let text = String::from_utf8(ended.stdout).unwrap();
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
            let mut rows = rows(cluster, way, &["list-queues", "-v", "-p", &vhost.name]);
            rows.iter_mut().for_each(|row| row.truncate(6));
            rows
        });
    }
}

#[test]
fn members_that_run_are_short_of_something_or_down_are_told_of() {
    let cluster = Cluster::up_with(3, &release(), &MANAGEMENT);
    let vhost = Vhost::new(&cluster);
    // Only this row's node has it; while that is down, no node has.
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
    let healthy = |way: Way| {
        way.perm(&cluster).arguments(&["cluster-status", "--if-node-stops"]).run().expect(0)
    };
    assert_eq!(WAYS.map(|way| healthy(way).stderr), ["", ""]);
    // A node that runs may have a replica that does not: then another one is needed.
    let stop = format!(
        "begin ok = ra:stop_server(quorum_queues, {{'{}_together', node()}}), \"\" end",
        vhost.name
    );
    cluster.try_erlang(3, &stop).unwrap();
    let first = cluster.variable("RMQ_NODE1_NAME");
    let needed = format!(
        "rmq-perm: cluster-status: queues that lose their majority if {first} stops: together in \
         {}\n",
        vhost.name
    );
    // The API of 4.0 goes by the nodes alone.
    let know = WAYS.into_iter().filter(|way| release() != "4.0" || *way == Way::Distribution);
    for way in know {
        wait_equal(COLLECTED, &(Some(1), needed.clone()), || {
            let words = ["cluster-status", "--if-node-stops", first];
            let ended = way.perm(&cluster).arguments(&words).run();
            (ended.status.code(), ended.stderr)
        });
    }
    cluster.erlang("begin rabbit_alarm:set_alarm({{resource_limit, disk, node()}, []}), \"\" end");
    cluster.kill(&[3]);
    let status = |way: Way, words: &[&str]| {
        let words = [&["--quiet", "cluster-status"], words].concat();
        way.perm(&cluster).arguments(&words).run().expect(1)
    };
    // A member: name, state, version, alarms, and how many listeners it has.
    let told = |way| {
        let rows = rows_of(status(way, &[]));
        let told = |row: &Vec<String>| {
            let listeners = row[7].split(',').filter(|listener| *listener != "-").count();
            (row[0].clone(), row[1].clone(), row[2].clone(), row[5].clone(), listeners)
        };
        rows.iter().map(told).collect::<Vec<_>>()
    };
    let version = rows_of(status(Way::Distribution, &[]))[0][2].clone();
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
    // What is wrong is on one line, together with what depends on a node that is still running.
    let name = |node: usize| cluster.variable(&format!("RMQ_NODE{node}_NAME")).to_owned();
    let wrong =
        format!("rmq-perm: cluster-status: {} has an alarm: disk; {} is down", name(1), name(3));
    let depends = |node| {
        format!("; queues that lose their majority if {node} stops: together in {}", vhost.name)
    };
    for way in WAYS {
        assert_eq!(status(way, &[]).stderr, format!("{wrong}\n"), "{way:?}");
        for (words, node) in [(&["--if-node-stops"][..], 1), (&["--if-node-stops", &name(2)], 2)] {
            let wanted = format!("{wrong}{}\n", depends(name(node)));
            wait_equal(COLLECTED, &wanted, || status(way, words).stderr);
        }
        // Nothing depends on what is down.
        assert_eq!(status(way, &["--if-node-stops", &name(3)]).stderr, format!("{wrong}\n"));
        let unknown = ["cluster-status", "--if-node-stops", "rabbit@nowhere"];
        let told = way.perm(&cluster).arguments(&unknown).run().expect(65);
        told.says("rabbit@nowhere is not a member; there are ");
    }
    let alone = ["cluster-status", "rabbit@a"];
    let told = Way::Http.perm(&cluster).arguments(&alone).run().expect(64);
    told.says("NODE requires --if-node-stops");
}

/// What `list-queues -v` shows of each queue: name, state, messages, members and online members.
fn replicas(cluster: &Cluster, way: Way, vhost: &str) -> Vec<[String; 5]> {
    let words = ["list-queues", "-p", vhost, "name", "state", "messages", "members", "online"];
    let mut rows = rows(cluster, way, &words);
    let number = |names: &str| match names {
        "-" => "0".to_owned(),
        names => names.split(',').count().to_string(),
    };
    for row in &mut rows {
        (row[3], row[4]) = (number(&row[3]), number(&row[4]));
    }
    rows.into_iter().map(|row| row.try_into().unwrap()).collect()
}

#[test]
fn a_queue_without_its_majority_is_told_from_one_that_works_by_both_ways() {
    let cluster = Cluster::up_with(3, &release(), &MANAGEMENT);
    let vhost = Vhost::new(&cluster);
    vhost.declare(&["--quiet"], "q");
    vhost.declare(&["--quiet", "--type", "stream"], "s");
    let third = format!(
        "amqp://{}:{}@127.0.0.1:{}/{}",
        vhost.name,
        rmq_tests::vhost::PASSWORD,
        cluster.variable("RMQ_NODE3_AMQP_PORT"),
        vhost.name
    );
    let alone = ["--url", &third, "--quiet", "--group-size", "1", "q1"];
    rmq_tests::tool::Tool::new("rmq-declare").arguments(&alone).run().expect(0);
    let row = |row: [&str; 5]| row.map(str::to_owned);
    cluster.kill(&[3]);
    let wanted = vec![
        row(["q", "running", "0", "3", "2"]),
        row(["q1", "down", "-", "1", "0"]),
        row(["s", "running", "0", "3", "2"]),
    ];
    for way in WAYS {
        wait_equal(COLLECTED, &wanted, || replicas(&cluster, way, &vhost.name));
    }
    cluster.kill(&[2]);
    let wanted = vec![
        row(["q", "minority", "-", "3", "1"]),
        row(["q1", "down", "-", "1", "0"]),
        row(["s", "minority", "-", "3", "1"]),
    ];
    for way in WAYS {
        wait_equal(COLLECTED, &wanted, || {
            let mut rows = replicas(&cluster, way, &vhost.name);
            // The API of 3.10 forgets the members of such a stream.
            if way == Way::Http && release() == "3.10" && rows[2][1] == "down" {
                rows[2] = wanted[2].clone();
            }
            rows
        });
    }
}

#[test]
fn no_arguments_that_a_user_chooses_hide_the_other_queues() {
    let cluster = managed();
    let vhost = Vhost::new(cluster);
    vhost.declare(&["--quiet", "--type", "classic"], "first");
    // Through the node itself, since no client of ours makes such queues.
    let arguments = [
        ("long", "[{<<\"x-long\">>, longstr, binary:copy(<<\"a\">>, 65536)}]"),
        (
            "deep",
            "[{<<\"x-deep\">>, table, lists:foldl(fun(_, In) -> [{<<\"a\">>, table, In}] end, [], lists:seq(1, 125))}]",
        ),
        ("wide", "[{<<\"x-wide\">>, array, lists:duplicate(10000, {void, undefined})}]"),
    ];
    let declare = |name: &str, arguments: &str| {
        format!(
            "rabbit_amqqueue:declare({{resource, <<\"{}\">>, queue, {name}}}, true, false, \
             {arguments} ++ [{{<<\"x-queue-type\">>, longstr, <<\"classic\">>}}], none, <<\"test\">>)",
            vhost.name
        )
    };
    let mut made: Vec<String> = arguments
        .iter()
        .map(|(name, arguments)| declare(&format!("<<\"{name}\">>"), arguments))
        .collect();
    let many = declare("<<\"many-\", (integer_to_binary(N))/binary>>", arguments[2].1);
    for first in (1..=70).step_by(10) {
        made.push(format!("[{many} || N <- lists:seq({first}, {})]", first + 9));
    }
    for each in made {
        cluster.erlang(&format!("begin {each}, \"\" end"));
    }
    for way in WAYS {
        for (format, more) in [("tsv", &[][..]), ("table", &["-v"]), ("csv", &["-v"])] {
            let words = [&["list-queues", "-p", &vhost.name, "--format", format], more];
            let told = way.perm(cluster).arguments(&words.concat()).run().expect(0);
            let text = String::from_utf8(told.stdout).unwrap();
            let header = usize::from(format != "tsv");
            assert_eq!(text.lines().count(), 74 + header, "{way:?} {format}");
        }
        let words = ["list-queues", "-p", &vhost.name, "--format", "json", "name", "arguments"];
        let told = way.perm(cluster).arguments(&words).run().expect(0);
        let told = String::from_utf8(told.stdout).unwrap();
        let of = |name: &str| {
            let end = format!("\"name\":\"{name}\"}}");
            let line = told.lines().find(|line| line.trim_end_matches([',', ']']).ends_with(&end));
            line.unwrap_or_else(|| panic!("{way:?}: no {name}")).to_owned()
        };
        assert!(of("long").contains(&"a".repeat(65_536)), "{way:?}");
        let deep = of("deep").matches("{\"a\":").count();
        assert!((60..=64).contains(&deep) && of("deep").contains("..."), "{way:?} {deep}");
    }
}
