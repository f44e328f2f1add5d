//! `dump`: one document, which `apply` accepts on another cluster and release.

use super::output;
use rmq_tests::brokers::release;
use rmq_tests::cluster::Cluster;
use rmq_tests::managed::{MANAGEMENT, WAYS, Way, http_address};
use rmq_tests::scale::scale;
use rmq_tests::tool::Tool;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// Lists of the management API, each with what must be the same on every release.
const MOVED: [(&str, &str); 6] = [
    ("vhosts", "{name, description, tags: (.tags | sort)}"),
    ("users", "{name, password_hash, hashing_algorithm, tags: (.tags | sort)}"),
    ("permissions", "."),
    ("topic-permissions", "."),
    ("vhost-limits", "."),
    ("user-limits", "."),
];

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");

/// A list of the API, in the form that must be the same.
fn of_api(cluster: &Cluster, list: &str, filter: &str) -> String {
    let url = format!("http://guest:guest@{}/api/{list}", http_address(cluster));
    let script = format!("curl -fsS '{url}' | jq -S 'map({filter}) | sort'");
    output(&Tool::shell(std::env::temp_dir().as_path(), &script).run().expect(0))
}

fn perm(cluster: &Cluster, way: Way, words: &[&str]) -> Tool {
    way.perm(cluster).arguments(words)
}

/// Fills a node: virtual hosts with everything that they can have, and three users.
fn fill(cluster: &Cluster) {
    let done = |words: &[&str]| perm(cluster, WAYS[0], words).run().expect(0);
    let quorum = ["--default-queue-type", "quorum"];
    done(
        &[
            &["add-vhost", "/orders"],
            &quorum[..],
            &["--description", "#1, \"all\"", "--tags", "b,a"],
        ]
        .concat(),
    );
    done(&["add-vhost", "--default-queue-type", "stream", "größer"]);
    for (user, tags) in [("app", ""), ("ops", "administrator"), ("a, b", "monitoring,mine")] {
        let add = perm(cluster, WAYS[0], &["--quiet", "add-user", "--tags", tags, user]);
        add.input(format!("{user}-pass-7\n")).run().expect(0);
    }
    done(&["set", "-p", "/orders", "app", "^app", "", "^(?:a,b)$"]);
    done(&["set", "-p", "größer", "a, b", ".*", ".*", ".*"]);
    done(&["set-topic", "-p", "/orders", "app", "amq.topic", "^k[.]", ""]);
    done(&["set-vhost-limits", "-p", "/orders", "--max-connections", "50", "--max-queues", "1"]);
    done(&["set-vhost-limits", "-p", "größer", "--max-queues", "0"]);
    done(&["set-user-limits", "a, b", "--max-channels", "3"]);
}

#[test]
fn a_whole_node_moves_to_another_release_by_dump_and_apply() {
    // The newest release is in Debian's testing suite, which changes: not in the short form.
    let newer = if scale().all_cells { "4.3" } else { "4.0" };
    let (old, new) =
        (Cluster::up_with(1, &release(), &MANAGEMENT), Cluster::up_with(1, newer, &MANAGEMENT));
    fill(&old);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("cluster.csv");
    let file = file.to_str().unwrap();
    fs::write(file, "what was there before, and longer than any dump is ".repeat(100)).unwrap();
    let dumps = WAYS.map(|way| {
        let ended = perm(&old, way, &["dump", "--output", file]).run().expect(0);
        assert_eq!((output(&ended), ended.stderr), (String::new(), String::new()));
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        fs::read_to_string(file).unwrap()
    });
    assert_eq!(dumps[0], dumps[1]);
    for way in WAYS {
        // On its origin it changes nothing, and writes only to standard output.
        let again = perm(&old, way, &["--quiet", "apply", "--prune", "--dry-run", file]);
        assert_eq!(output(&again.run().expect(0)), "");
        let written = perm(&old, way, &["dump"]).run().expect(0).says("keep it private");
        assert_eq!(output(&written), dumps[0]);
    }
    // RabbitMQ's own export says the same.
    let definitions = old.directory().join("definitions.json");
    let definitions = definitions.to_str().unwrap();
    old.control(1, &["export_definitions", definitions]);
    let converted = format!("{EXAMPLES}/permissions/definitions-to-csv {definitions}");
    let converted = Tool::shell(directory.path(), &converted).run().expect(0).stdout;
    let same = perm(&old, WAYS[0], &["--quiet", "apply", "--prune", "--dry-run", "-"]);
    assert_eq!(output(&same.input(converted).run().expect(0)), "");
    let applied = perm(&new, WAYS[1], &["--quiet", "apply", file]).run().expect(0);
    let hash = dumps[0].lines().find(|line| line.starts_with("app,")).unwrap();
    let hash = hash.rsplit(',').next().unwrap();
    assert!(hash.len() > 40 && !output(&applied).contains(hash), "{}", output(&applied));
    for (list, filter) in MOVED {
        assert_eq!(of_api(&new, list, filter), of_api(&old, list, filter), "{list}");
    }
    let types = of_api(&new, "vhosts", "[.name, .default_queue_type] | join(\" \")");
    for kind in ["/orders quorum", "größer stream"] {
        assert!(types.contains(kind), "{types}");
    }
    // The old password still works, with the same permissions.
    let port = new.variable("RMQ_NODE1_AMQP_PORT");
    let url = format!("amqp://app:app-pass-7@127.0.0.1:{port}/%2Forders");
    let declare = |queue: &str| Tool::new("rmq-declare").arguments(&["--quiet", "-u", &url, queue]);
    declare("app.jobs").run().expect(0);
    declare("jobs").run().expect(77);
    declare("app.more").run().expect(65).says("queue limit");
    for way in WAYS {
        perm(&new, way, &["--quiet", "apply", "--prune", "--dry-run", file]).run().expect(0);
    }
}

#[test]
fn one_virtual_host_is_dumped_with_those_who_may_use_it_and_topics_can_wait_for_their_exchange() {
    let cluster = rmq_tests::managed::managed();
    for way in WAYS {
        let [vhost, user, other] = ["v", "u", "o"].map(|it| format!("dump-{it}-{}", way.name()));
        let done = |words: &[&str]| perm(cluster, way, words).run().expect(0);
        done(&["add-vhost", &vhost]);
        for user in [&user, &other] {
            perm(cluster, way, &["add-user", user]).input("secret\n").run().expect(0);
        }
        done(&["set", "-p", &vhost, &user, "^a$", "", ""]);
        let dumped = output(&done(&["--quiet", "dump", "-p", &vhost]));
        assert!(dumped.contains(&format!("\n{user},,")) && !dumped.contains(&other), "{dumped}");
        assert!(dumped.contains(&format!("\n{vhost},{user},^a$,,\n")), "{dumped}");
        let bare = done(&["dump", "-p", &vhost, "--no-password-hashes"]);
        assert_eq!(bare.stderr, "");
        let bare = output(&bare);
        assert!(bare.contains(&format!("max_channels\n{user},,,\n")), "{bare}");
        let same = perm(cluster, way, &["apply", "-p", &vhost, "--prune", "--dry-run", "-"]);
        assert_eq!(output(&same.input(bare).run().expect(0)), "");
        perm(cluster, way, &["dump", "-p", "dump-none"]).run().expect(65).says("no such vhost");

        let topic = format!("{vhost},{user},later,^k,\n");
        let file = format!("{dumped}{topic}");
        let apply = |options: &[&str]| {
            let words = [&["apply", "-p", &*vhost], options, &["-"]].concat();
            perm(cluster, way, &words).input(file.clone()).run()
        };
        apply(&[]).expect(65).says("no such exchange: later");
        let skipped = apply(&["--skip-missing-exchanges"]).expect(0);
        let told = format!("does not exist: 1: topic permissions of {user} at later on {vhost} (");
        assert_eq!(output(&skipped.says(&told)), "");
        cluster.erlang(&format!(
            "begin rabbit_exchange:declare(rabbit_misc:r(<<\"{vhost}\">>, exchange, \
             <<\"later\">>), topic, true, false, false, [], <<\"tests\">>), \"\" end"
        ));
        let plan = format!("+topic-permissions\t{vhost}\t{user}\tlater\t^k\t''\n");
        assert_eq!(output(&apply(&["--skip-missing-exchanges"]).expect(0)), plan);
        done(&["delete-vhost", &vhost]);
        for user in [&user, &other] {
            done(&["delete-user", user]);
        }
    }
}

/// The output of `list`, and a file with two sections, are read as intended.
#[test]
fn users_and_permissions_that_are_called_like_columns_are_not_taken_for_headers() {
    let cluster = Cluster::up_with(1, &release(), &MANAGEMENT);
    let perm = |way, arguments: &[&str]| perm(&cluster, way, &[&["--quiet"], arguments].concat());
    perm(WAYS[0], &["add-vhost", "vhost"]).run().expect(0);
    perm(WAYS[0], &["add-user", "--tags", "tags", "user"]).input("pass-7").run().expect(0);
    perm(WAYS[0], &["set", "-p", "vhost", "user", "configure", "write", "read"]).run().expect(0);
    let listings: [&[&str]; 3] = [
        &["dump", "--output", "-"],
        &["list-users", "--format", "csv"],
        &["list", "-p", "vhost", "--format", "csv"],
    ];
    for (way, listing) in WAYS.into_iter().flat_map(|way| listings.map(|listing| (way, listing))) {
        let file = output(&perm(way, listing).run().expect(0));
        let apply = perm(way, &["apply", "--prune", "--dry-run", "-"]);
        let again = apply.input(file.clone()).run();
        assert_eq!(output(&again), "", "{listing:?} wrote {file}");
        again.expect(0);
    }
}
