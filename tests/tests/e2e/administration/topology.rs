//! `list-exchanges` and `list-bindings`, identical over both transports.

use rmq_tests::cluster::Cluster;
use rmq_tests::managed::{WAYS, Way, managed};
use rmq_tests::scale::scale;
use rmq_tests::vhost::Vhost;
use std::time::{Duration, Instant};

fn listed(cluster: &Cluster, way: Way, words: &[&str]) -> String {
    String::from_utf8(way.perm(cluster).arguments(words).run().expect(0).stdout).unwrap()
}

#[test]
fn exchanges_and_bindings_are_listed_with_their_arguments_by_both_ways() {
    let cluster = managed();
    let vhost = Vhost::new(cluster);
    let tab = r#"{"source":"e","routing_key":"a\tb"}"#;
    let headers = r#"{"source":"h","arguments":{"x-match":"all","n":5,"b":true,"f":1.5}}"#;
    let alternate = r#"{"name":"e","type":"topic","arguments":{"alternate-exchange":"h"}}"#;
    let words = ["--quiet", "--exchange", "h:headers", "--exchange", alternate];
    let binds = ["--bind", "e:order.#", "--bind", "e", "--bind", tab, "--bind", headers];
    vhost.declare(&[&words[..], &binds].concat(), "q");
    let from = format!("rabbit_misc:r(<<\"{}\">>, exchange, <<\"e\">>)", vhost.name);
    let to = from.replace("\"e\"", "\"amq.direct\"");
    cluster.erlang(&format!(
        "begin ok = rabbit_binding:add({{binding, {from}, <<\"k\">>, {to}, []}}, <<\"t\">>), \"\" end"
    ));
    let wanted = "e\tamq.direct\texchange\tk\ne\tq\tqueue\t''\ne\tq\tqueue\ta\\tb\n\
                  e\tq\tqueue\torder.#\nh\tq\tqueue\t''\n";
    let everywhere: String =
        wanted.lines().map(|line| format!("{}\t{line}\n", vhost.name)).collect();
    for way in WAYS {
        let here =
            |words: &[&str]| listed(cluster, way, &[&["--vhost", &vhost.name], words].concat());
        assert_eq!(here(&["list-bindings"]), wanted, "{way:?}");
        assert_eq!(here(&["list_bindings"]), wanted, "{way:?}");
        let verbose = here(&["list-bindings", "-v"]);
        let last = r#"{"b":true,"f":1.5,"n":5,"x-match":"all"}"#;
        assert!(verbose.ends_with(&format!("h\tq\tqueue\t''\t{last}\n")), "{way:?} {verbose}");
        assert_eq!(verbose.matches("\t{}\n").count(), 4, "{way:?} {verbose}");
        let all = listed(cluster, way, &["list-bindings", "--all"]);
        assert!(all.contains(&everywhere), "{way:?} {all}");
        let exchanges = here(&["list-exchanges"]);
        for line in ["''\tdirect\ttrue\tfalse", "e\ttopic\ttrue\tfalse", "h\theaders\ttrue\tfalse"]
        {
            assert!(exchanges.lines().any(|it| it == line), "{way:?} {exchanges}");
        }
        assert!(exchanges.contains("amq.rabbitmq.trace\ttopic\ttrue\ttrue\n"), "{exchanges}");
        let verbose = here(&["list-exchanges", "-v"]);
        let line = "e\ttopic\ttrue\tfalse\tfalse\t{\"alternate-exchange\":\"h\"}\n";
        assert!(verbose.contains(line), "{way:?} {verbose}");
        let csv = here(&["list-bindings", "--format", "csv"]);
        assert!(
            csv.starts_with("source,destination,kind,routing_key\r\n")
                || csv.starts_with("source,destination,kind,routing_key\n"),
            "{csv}"
        );
        let none = ["-p", "nowhere", "list-bindings"];
        let told = way.perm(cluster).arguments(&none).run().expect(65);
        told.says("list bindings of nowhere: no such vhost");
        let both = ["-p", &vhost.name, "--all", "list-exchanges"];
        let told = way.perm(cluster).arguments(&both).run().expect(64);
        told.says("--all cannot be combined with --vhost");
    }
}

#[test]
fn a_binding_that_is_undone_is_a_line_less_among_thousands() {
    let cluster = managed();
    let vhost = Vhost::new(cluster);
    vhost.declare(&["--quiet", "--type", "classic"], "q");
    let count = scale().bindings;
    for first in (1..=count).step_by(500) {
        let last = (first + 499).min(count);
        cluster.erlang(&format!(
            "begin [ok = rabbit_binding:add({{binding, rabbit_misc:r(<<\"{name}\">>, exchange, \
             <<\"amq.topic\">>), <<\"k.\", (integer_to_binary(N))/binary>>, \
             rabbit_misc:r(<<\"{name}\">>, queue, <<\"q\">>), []}}, <<\"t\">>) \
             || N <- lists:seq({first}, {last})], \"\" end",
            name = vhost.name
        ));
    }
    let words = ["list-bindings", "-p", &vhost.name];
    let before = WAYS.map(|way| {
        let began = Instant::now();
        let listed = listed(cluster, way, &words);
        assert!(began.elapsed() < Duration::from_secs(5), "{way:?} {:?}", began.elapsed());
        assert_eq!(listed.lines().count(), count, "{way:?}");
        listed
    });
    assert_eq!(before[0], before[1]);
    vhost.tool("rmq-declare").arguments(&["--unbind", "amq.topic:k.77", "q"]).run().expect(0);
    let wanted = before[0].replace("amq.topic\tq\tqueue\tk.77\n", "");
    for way in WAYS {
        assert_eq!(listed(cluster, way, &words), wanted, "{way:?}");
        let verbose = listed(cluster, way, &[&words[..], &["-v"]].concat());
        assert_eq!(verbose.lines().count(), count - 1, "{way:?}");
    }
}
