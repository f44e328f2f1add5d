//! rmq-perm's users over both of its transports: after `add-user` and `apply` they can log in,
//! whatever hash algorithm they have; drift is shown; what is already done is not a failure.

use rmq_tests::brokers::release;
use rmq_tests::cluster::Cluster;
use rmq_tests::managed::{MANAGEMENT, WAYS, Way, managed};
use rmq_tests::terminal::Terminal;
use rmq_tests::tool::{Ended, Tool};
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_until;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

const ALGORITHMS: [&str; 3] = ["md5", "sha256", "sha512"];

fn output(ended: &Ended) -> String {
    String::from_utf8(ended.stdout.clone()).unwrap()
}

fn perm(way: Way, words: &[&str]) -> Tool {
    way.perm(managed()).arguments(words)
}

/// A hash from a cluster whose configuration names this algorithm.
fn hash(cluster: &Cluster, algorithm: &str, password: &str) -> String {
    cluster.erlang(&format!(
        "binary_to_list(base64:encode(rabbit_password:hash(rabbit_password_hashing_{algorithm}, \
         <<\"{password}\">>)))"
    ))
}

/// Logs in over AMQP, and expects this exit status.
#[track_caller]
fn logs_in(way: Way, user: &str, password: &str, status: i32) {
    perm(way, &["--quiet", "set", user, "", "", ""]).run().expect(0);
    let url = format!("amqp://{user}:{password}@{}/", managed().hosts());
    let words = ["--retry", "0", "--url", &url, "--delete", "no-such-queue-of-users"];
    let ended = Tool::new("rmq-declare").arguments(&words).run();
    if status == 0 {
        // Logged in, and then either refused an operation or done.
        assert!(!ended.stderr.contains("log in to"), "{}", ended.stderr);
        assert_ne!(ended.status.code(), Some(69), "{}", ended.stderr);
    } else {
        ended.expect(status).says("log in to");
    }
}

#[test]
fn a_user_with_a_hash_of_any_algorithm_can_log_in_however_it_was_given() {
    let cluster = managed();
    for way in WAYS {
        for algorithm in ALGORITHMS {
            let user = format!("hashed-{algorithm}-{}", way.name());
            let give = |command: &str, password: &str| {
                let words = [command, &user, "--pre-hashed-password"];
                perm(way, &words).input(hash(cluster, algorithm, password)).run().expect(0)
            };
            give("add-user", "first");
            logs_in(way, &user, "first", 0);
            logs_in(way, &user, "another", 77);
            give("change-password", "second");
            logs_in(way, &user, "second", 0);
            // apply changes it, shows it without the hash, and then has nothing to do.
            let third = hash(cluster, algorithm, "third");
            let file = format!("user,password_hash\n{user},{third}\n");
            let plan = format!("-password\t{user}\t{algorithm}\n+password\t{user}\t{algorithm}\n");
            let apply = |options: &[&str]| {
                perm(way, &[&["apply"], options, &["-"]].concat()).input(&*file).run()
            };
            assert_eq!(output(&apply(&["--dry-run"]).expect(1)), plan);
            let made = apply(&[]).expect(0);
            assert_eq!(output(&made), plan);
            assert!(!made.stderr.contains(&third), "{}", made.stderr);
            logs_in(way, &user, "third", 0);
            assert_eq!(output(&apply(&["--dry-run"]).expect(0)), "");
            // So it does for a user who is new.
            perm(way, &["delete-user", &user]).run().expect(0);
            apply(&[]).expect(0);
            logs_in(way, &user, "third", 0);
            perm(way, &["delete-user", &user]).run().expect(0);
        }
    }
}

#[test]
fn users_are_taken_to_another_cluster_with_their_passwords_in_a_file_of_mode_0600() {
    for way in WAYS {
        let user = format!("moved-{}", way.name());
        let words = ["add-user", &user, "--tags", "monitoring,management"];
        perm(way, &words).input("rabbit-hole\n").run().expect(0);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("users.csv");
        std::fs::write(&path, "open to all").unwrap();
        let list = ["list-users", "--password-hashes"];
        let written = perm(way, &list).arguments(&["--output", path.to_str().unwrap()]);
        assert_eq!(output(&written.run().expect(0)), "");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let told = perm(way, &list).arguments(&["--format", "csv"]).run().expect(0);
        let told = output(&told.says("contains password hashes"));
        let line =
            |text: &str| text.lines().find(|line| line.starts_with(&user)).map(str::to_owned);
        let row = line(&told).unwrap();
        assert_eq!(line(&std::fs::read_to_string(&path).unwrap()).as_ref(), Some(&row));
        assert!(row.starts_with(&format!("{user},\"management,monitoring\",")), "{row}");

        perm(way, &["delete-user", &user]).run().expect(0);
        let file = format!("user,tags,password_hash\n{row}\n");
        let made = perm(way, &["apply", "-"]).input(file).run().expect(0);
        assert_eq!(output(&made), format!("+user\t{user}\tmanagement,monitoring\n"));
        assert_eq!(made.stderr, "");
        logs_in(way, &user, "rabbit-hole", 0);
        // Without the hashes, that is reported before any change.
        perm(way, &["delete-user", &user]).run().expect(0);
        let dry = perm(way, &["apply", "--dry-run", "-"]).input(format!("user,tags\n{user},\n"));
        dry.run().expect(1).says("have no password, so they cannot log in");
    }
}

#[test]
fn add_user_replace_gives_this_password_and_these_tags_whatever_exists() {
    for way in WAYS {
        let user = format!("replaced-{}", way.name());
        let tags = || {
            let listed = output(&perm(way, &["list-users"]).run().expect(0));
            let line = listed.lines().find(|line| line.starts_with(&user)).unwrap_or("").to_owned();
            line.split('\t').nth(1).unwrap_or("").to_owned()
        };
        let replace = |password: &str, words: &[&str]| {
            let tool = perm(way, &["add-user", "--replace", &user]).arguments(words);
            tool.input(format!("{password}\n")).run().expect(0)
        };
        replace("first", &["--tags", "monitoring"]);
        logs_in(way, &user, "first", 0);
        assert_eq!(tags(), "monitoring");
        for _ in 0..2 {
            replace("second", &["--tags", "management,policymaker"]);
            logs_in(way, &user, "second", 0);
            assert_eq!(tags(), "management,policymaker");
        }
        replace(&hash(managed(), "sha512", "third"), &["--pre-hashed-password"]);
        logs_in(way, &user, "third", 0);
        assert_eq!(tags(), "-");
        // Permissions stay.
        let listed = output(&perm(way, &["list", &user]).run().expect(0));
        assert_eq!(listed, "/\t''\t''\t''\n");
        for status in ["", "no such user; nothing to delete"] {
            perm(way, &["delete-user", &user]).run().expect(0).says(status);
        }
    }
}

#[test]
fn a_user_that_the_file_lacks_is_shown_with_prune_and_deleted_with_prune_users_alone() {
    let cluster = Cluster::up_with(1, &release(), &MANAGEMENT);
    for way in WAYS {
        let perm = |words: &[&str]| way.perm(&cluster).arguments(words);
        let file = format!("user,tags\nguest,administrator\nkept-{},\n", way.name());
        let apply = |options: &[&str]| perm(&[&["apply"], options, &["-"]].concat()).input(&*file);
        apply(&["--quiet"]).run().expect(0);
        perm(&["add-user", "--tags", "administrator", "intruder"]).input("x\n").run().expect(0);
        let others = match way {
            Way::Distribution => "-user\tintruder\tadministrator\n",
            Way::Http => "-user\tintruder\tadministrator\n-user\tkept-dist\t''\n",
        };
        let shown = apply(&["--prune", "--dry-run"]).run().expect(1);
        assert_eq!(output(&shown), others);
        shown.says("(--prune-users deletes them)");
        assert_eq!(output(&apply(&["--dry-run"]).run().expect(0)), "");
        apply(&["--prune", "--yes"]).run().expect(0).says("the file lacks are not deleted");
        assert!(output(&perm(&["list-users"]).run().expect(0)).contains("intruder"));
        assert_eq!(output(&apply(&["--prune-users", "--yes"]).run().expect(0)), others);
        assert!(!output(&perm(&["list-users"]).run().expect(0)).contains("intruder"));
        assert_eq!(output(&apply(&["--prune", "--dry-run"]).run().expect(0)), "");

        // A file of permissions does not list users; a topic permission without its column is
        // reported.
        let words = ["apply", "--prune-users", "--yes", "-"];
        perm(&words)
            .input("vhost,user,configure,write,read\n")
            .run()
            .expect(65)
            .says("requires a column");
        perm(&["--quiet", "set-topic", "guest", "amq.topic", "^a$", ""]).run().expect(0);
        let listed = output(&perm(&["list", "--format", "csv"]).run().expect(0));
        let told = perm(&["apply", "--prune", "--dry-run", "-"]).input(&*listed).run().expect(0);
        told.says("no column exchange, so topic permissions are not changed: 1");
        let file = "vhost,user,configure,write,read,exchange\n/,guest,.*,.*,.*,\n";
        let shown = perm(&["apply", "--prune", "--dry-run", "-"]).input(file).run().expect(1);
        assert_eq!(output(&shown), "-topic-permissions\t/\tguest\tamq.topic\t^a$\t''\n");
        let file = "vhost,user,exchange,write,read\n/,guest,amq.fanout,a,b\n";
        perm(&["apply", "--quiet", "-"]).input(file).run().expect(65).says("of type fanout");
        perm(&["clear-topic", "guest"]).run().expect(0);
    }
}

#[test]
fn a_deleted_users_connections_end_at_once_and_those_of_a_cleared_one_stay() {
    let cluster = managed();
    let vhost = Vhost::new(cluster);
    vhost.declare(&[], "q");
    let name = &vhost.name;
    for way in WAYS {
        let user = format!("connected-{}", way.name());
        vhost.add_user(&user, [".*", ".*", ".*"]);
        let url = vhost.url_for(&user);
        let words = ["--retry", "0", "--url", &url, "q"];
        let mut receiving = Tool::new("rmq-recv").arguments(&words).start();
        vhost.connection_of(receiving.pid());
        perm(way, &["clear", "-p", name, &user]).run().expect(0);
        perm(way, &["change-password", &user]).input("another\n").run().expect(0);
        vhost.connection_of(receiving.pid());
        assert!(receiving.is_running(), "{}", receiving.stderr());
        perm(way, &["delete-user", &user]).run().expect(0);
        wait_until(Duration::from_secs(5), "the end of the connection", || !receiving.is_running());
    }
}

#[test]
fn a_password_that_no_login_can_carry_is_refused_before_and_a_mark_is_no_part_of_one() {
    for way in WAYS {
        let user = format!("limits-{}", way.name());
        let add = |password: &[u8]| perm(way, &["add-user", &user]).input(password).run();
        add(&[b'x'; 3001]).expect(65).says("longer than 3000 bytes");
        add(b"a\0b\n").expect(65).says("contains a NUL");
        perm(way, &["list", &user]).run().expect(67);
        let longest = "x".repeat(3000);
        add(longest.as_bytes()).expect(0);
        logs_in(way, &user, &longest, 0);
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("password");
        std::fs::write(&file, "\u{feff}marked\r\n").unwrap();
        let words = ["change-password", &user, "--password-file", file.to_str().unwrap()];
        perm(way, &words).run().expect(0);
        logs_in(way, &user, "marked", 0);
        perm(way, &["delete-user", &user]).run().expect(0);
    }
}

#[test]
fn a_signal_at_the_password_prompt_restores_the_echo() {
    let perm = rmq_tests::tool::binary("rmq-perm");
    for (name, keys) in [("quit", "C-\\"), ("interrupt", "C-c"), ("stop", "C-z")] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("script");
        let script = format!(
            "set -m; trap : QUIT INT TSTP\n{} add-user nobody\n\
             echo; echo is $(stty -a | grep -o '.echo ')\nread x\n",
            perm.display()
        );
        std::fs::write(&path, script).unwrap();
        let terminal = Terminal::run(name, &[], &format!("bash {}", path.display()));
        terminal.wait("the prompt", |screen| screen.contains("Password for nobody"));
        terminal.types("", &[keys]);
        terminal.wait("the echo", |screen| screen.contains("is echo"));
    }
}

#[test]
fn a_password_to_check_is_asked_for_once_and_not_shown() {
    let user = "asked-once";
    perm(WAYS[0], &["add-user", user]).input("zebra-1\n").run().expect(0);
    let cluster = managed();
    let variable = |name| (name, cluster.variable(name));
    let environment = [variable("RABBITMQ_NODENAME"), variable("ERL_EPMD_PORT")];
    let (tool, cookie) = (rmq_tests::tool::binary("rmq-perm"), cluster.variable("RMQ_COOKIE_FILE"));
    let script = format!(
        "{} --cookie-file {cookie} authenticate {user}; echo ended with $?; read x",
        tool.display()
    );
    for (typed, status) in [("zebra-1", 0), ("zebra-2", 77)] {
        let terminal = Terminal::run(typed, &environment, &script);
        terminal.wait("the prompt", |screen| screen.contains("Password for asked-once"));
        terminal.types(typed, &["Enter"]);
        let ended = format!("ended with {status}");
        let screen = terminal.wait("the end", |screen| screen.contains(&ended));
        assert!(!screen.contains("zebra"), "{screen}");
    }
    perm(WAYS[0], &["delete-user", user]).run().expect(0);
}
