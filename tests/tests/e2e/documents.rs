//! Every command in the pages and the README works, and its output is what the page shows.

use rmq_tests::brokers::{self, release};
use rmq_tests::cluster::Cluster;
use rmq_tests::reader::How::{Not, OtherNumbers, Status, Until};
use rmq_tests::reader::{Reader, Unlike};
use rmq_tests::shell::stand_in;
use rmq_tests::tool::Tool;
use rmq_tests::vhost::Vhost;
use std::fs;
use std::path::Path;

/// Endless pipelines, each of which is interrupted when it has had this effect.
const SENT_LOG: &str = "rmq-recv -n 1 --idle 1s logs | grep -q ERROR";
const SEEN_ERROR: &str = "rmq-send -b 'ERROR: seen' logs && grep -q seen output";
const SEEN: &str = "rmq-send -b hello in && rmq-recv -n 1 --idle 1s out | grep -q 'seen hello'";
const UPPER: &str = "rmq-send -b hello in && rmq-recv -n 1 --idle 1s out | grep -q HELLO";
const FILTERED: &str = "rmq-send -b hello a && rmq-recv -n 1 --idle 1s b | grep -q 'seen hello'";
const FILTERED_A: &str = "rmq-send -b hello A && rmq-recv -n 1 --idle 1s B | grep -q 'seen hello'";
const MADE: &str = "rmq-send -b picture thumbnails && grep -q picture made";
const TAPPED: &str =
    "rmq-send --allow-unroutable -e logs -r app.x -b hello && grep -q hello output";

/// What the commands of a page need: programs that are not the page's subject, files, queues.
fn prepare(directory: &Path, vhost: &Vhost, other: &Vhost) {
    stand_in(directory, "service", "echo started; echo 'ERROR: stopped' >&2");
    stand_in(directory, "psql", "printf '1,20\\n2,30\\n'");
    stand_in(directory, "make-thumbnail", "cat >> made");
    stand_in(directory, "filter", "exec sed -u 's/^/seen /'");
    for (file, text) in [
        ("app.log", "started\nERROR: none\n"),
        ("today.txt", "one\ntwo\n"),
        ("a b.pdf", ""),
        ("queues.csv", "queue,type,max-length,with-dlq\ntasks,,100000,true\nmail,classic,,\n"),
        ("subro.password", "secret\n"),
    ] {
        fs::write(directory.join(file), text).unwrap();
    }
    let identity = "git config user.name tests && git config user.email tests@localhost";
    Tool::shell(directory, &format!("git init -q && {identity}")).run().expect(0);
    let queues = ["logs", "in", "out", "a", "b", "A", "B", "results", "documents", "thumbnails"];
    vhost.tool("rmq-declare").arguments(&queues).run().expect(0);
    vhost.tool("rmq-declare").arguments(&["--exchange", "logs:topic"]).run().expect(0);
    vhost.declare(&["--exchange", "events:topic", "--bind", "events:disk.*"], "disks");
    other.declare(&[], "jobs");
    other.send(&["jobs"]).input("one\ntwo\n").run().expect(0);
}

/// Follows a page on a cluster, as a user of a virtual host in which `queues` are also declared.
fn follow(page: &str, cluster: &Cluster, queues: &[&str], unlike: &[Unlike]) {
    let (vhost, other) = (Vhost::new(cluster), Vhost::new(cluster));
    let directory = tempfile::tempdir().unwrap();
    prepare(directory.path(), &vhost, &other);
    for queue in queues {
        vhost.declare(&[], queue);
        vhost.send(&[queue]).input("one\ntwo\n").run().expect(0);
    }
    let mut names = vec![
        ("amqp://h1,h2,h3", vhost.url()),
        ("h1,h2,h3", cluster.hosts().to_owned()),
        ("amqp://old", other.url()),
        ("amqp://new", vhost.url()),
        ("/var/log/app.log", "app.log".to_owned()),
        ("/var/lib/rmq", directory.path().display().to_string()),
        ("/var/spool/rmq", format!("{}/spool", directory.path().display())),
        ("/etc/rabbitmq/permissions.csv", "permissions.csv".to_owned()),
        ("/var/lib/rabbitmq/.erlang.cookie", cluster.variable("RMQ_COOKIE_FILE").to_owned()),
        // The schedule for cron.
        ("0 * * * *  ", String::new()),
    ];
    // The README creates it; for a manual page it exists.
    if page.starts_with("man/") {
        names.push(("/testvhost", vhost.name.clone()));
    }
    let mut environment = vec![("AMQP_URL", vhost.url())];
    // For a user who may read a node's cookie.
    environment.push(("HOME", cluster.variable("RMQ_CLUSTER_HOME").to_owned()));
    for name in ["RABBITMQ_NODENAME", "ERL_EPMD_PORT"] {
        environment.push((name, cluster.variable(name).to_owned()));
    }
    Reader { directory: directory.path(), names, environment, unlike }.follow(page);
}

#[test]
fn the_readme_does_what_it_says() {
    let cluster = brokers::three_to_break();
    let _walkthrough = Walkthrough(&cluster);
    let unlike = [
        ("make demo", Not("the first is tested by itself, and the second runs this test")),
        ("rmq-perm cluster-status", OtherNumbers),
        ("rmq-send --follow", Until(SENT_LOG)),
        ("rmq-recv logs |", Until(SEEN_ERROR)),
        ("rmq-recv in |", Until(SEEN)),
        ("rmq-recv -j 4", Until(MADE)),
        ("rmq-recv -e logs", Until(TAPPED)),
        ("rmq-recv --ack-from", Until(FILTERED)),
    ];
    follow("README.md", &cluster, &[], &unlike);
}

/// What a walkthrough creates permanently.
struct Walkthrough<'a>(&'a Cluster);

impl Drop for Walkthrough<'_> {
    fn drop(&mut self) {
        let expression = "begin catch rabbit_vhost:delete(<<\"/testvhost\">>, <<\"tests\">>), \
                          [catch rabbit_auth_backend_internal:delete_user(User, \
                          <<\"tests\">>) || User <- [<<\"subro\">>, <<\"app\">>]], \"\" end";
        let _ = self.0.try_erlang(1, expression);
    }
}

#[test]
fn the_overview_does_what_it_says() {
    let unlike = [
        ("                       the cluster", Not("a picture")),
        ("/var/log/app.log {", Not("a file")),
        ("rmq-send --follow", Until(SENT_LOG)),
        ("rmq-recv logs |", Until(SEEN_ERROR)),
        ("rmq-recv in |", Until(SEEN)),
        ("rmq-recv --ack-from", Until(SEEN)),
        ("rmq-recv --format json in |", Until(UPPER)),
    ];
    follow("man/rmq.7", brokers::three(), &["jobs"], &unlike);
}

#[test]
fn the_page_of_rmq_declare_does_what_it_says() {
    let unlike = [("[prod]", Not("a file")), ("printf 'queue,type", Status(1))];
    follow("man/rmq-declare.1", brokers::three(), &[], &unlike);
}

#[test]
fn the_page_of_rmq_perm_does_what_it_says() {
    // It lists all virtual hosts, which no other test may delete meanwhile.
    let cluster = brokers::three_to_break();
    let _users = Walkthrough(&cluster);
    follow("man/rmq-perm.1", &cluster, &[], &[]);
}

/// The virtual host and the users of a page, which are deleted when this is dropped.
struct Team<'a>(&'a Cluster);

impl Drop for Team<'_> {
    fn drop(&mut self) {
        let expression = "begin catch rabbit_vhost:delete(<<\"/orders\">>, <<\"tests\">>), \
                          [catch rabbit_auth_backend_internal:delete_user(User, <<\"tests\">>) \
                          || User <- [<<\"operator\">>, <<\"app\">>, <<\"watcher\">>]], \"\" end";
        let _ = self.0.try_erlang(1, expression);
    }
}

#[test]
fn the_walkthrough_of_a_team_does_what_it_says() {
    let cluster = brokers::one_to_break();
    let _team = Team(&cluster);
    let directory = tempfile::tempdir().unwrap();
    let variable = |name| (name, cluster.variable(name).to_owned());
    let mut environment = ["AMQP_URL", "RABBITMQ_NODENAME", "ERL_EPMD_PORT"].map(variable).to_vec();
    environment.push(("HOME", cluster.variable("RMQ_CLUSTER_HOME").to_owned()));
    for name in ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"]
    {
        environment.push((name, "tests@localhost".to_owned()));
    }
    let unlike = [
        ("rmq-declare -p /orders --user app ", Status(77)),
        ("rmq-perm --quiet apply -p /orders --prune --dry-run", Status(1)),
    ];
    Reader { directory: directory.path(), names: Vec::new(), environment, unlike: &unlike }
        .follow("docs/team.md");
}

#[test]
fn the_page_of_rmq_recv_does_what_it_says() {
    let unlike = [
        ("[prod]", Not("a file")),
        ("rmq-recv logs |", Until(SEEN_ERROR)),
        ("rmq-recv --ack-from", Until(FILTERED)),
        ("rmq-recv -j 4", Until(MADE)),
        ("rmq-recv -e logs", Until(TAPPED)),
    ];
    follow("man/rmq-recv.1", brokers::three(), &["jobs", "reports"], &unlike);
}

#[test]
fn the_page_of_rmq_send_does_what_it_says() {
    let unlike = [
        ("[prod]", Not("a file")),
        ("rmq-send: read 9", Not("what it prints")),
        ("rmq-recv --ack-from", Until(FILTERED_A)),
        ("rmq-send --follow", Until(SENT_LOG)),
    ];
    follow("man/rmq-send.1", brokers::three(), &["orders"], &unlike);
}

#[test]
fn the_japanese_walkthrough_does_what_it_says_from_the_first_node_on() {
    let directory = tempfile::tempdir().unwrap();
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    let script = top.join("scripts/cluster");
    let (script, release) = (script.display(), release());
    // If the test ends before the page does, the cluster ends with it.
    let up = format!("{script} up 3 --release {release} --owner {}", std::process::id());
    let names = vec![
        ("scripts/cluster up 3", up),
        ("scripts/cluster env", format!("{script} env")),
        ("scripts/cluster kill", format!("{script} kill")),
        ("scripts/cluster down", format!("{script} down")),
    ];
    let unlike = [
        ("make build", Not("what it builds and installs is there already")),
        ("rmq-perm cluster-status", OtherNumbers),
        ("rmq-declare -p /testvhost mine", Status(77)),
    ];
    Reader { directory: directory.path(), names, environment: Vec::new(), unlike: &unlike }
        .follow("docs/ja/README.md");
}
