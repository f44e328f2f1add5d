//! Standard streams that are closed, or open in the wrong direction.

use rmq_tests::brokers;
use rmq_tests::managed::Way;
use rmq_tests::observe::Held;
use rmq_tests::tool::{Ended, Tool};
use rmq_tests::vhost::Vhost;
use std::fs;
use std::path::Path;

/// A shell in which `script` reaches the vhost.
fn shell(vhost: &Vhost<'_>, directory: &Path, script: &str) -> Tool {
    Tool::shell(directory, script).environment("AMQP_URL", &vhost.url())
}

#[track_caller]
fn run(vhost: &Vhost<'_>, script: &str) -> Ended {
    let directory = tempfile::tempdir().unwrap();
    shell(vhost, directory.path(), script).run()
}

#[test]
fn with_a_closed_standard_output_nothing_is_taken() {
    let vhost = Vhost::filled(brokers::one(), 10);
    for words in ["--drain q", "-n 1 q", "--peek 1 q", "--format json --drain q", "-n 1 q -- cat"] {
        let closed = run(&vhost, &format!("rmq-recv {words} >&-"));
        closed.expect(74).says("standard output is closed");
        run(&vhost, &format!("rmq-recv {words} 1</dev/null"))
            .expect(74)
            .says("standard output is not open for writing");
    }
    run(&vhost, "rmq-recv --drain q >&- 2>&-").expect(74);
    vhost.wait_held("q", Held::ready(10));
    // Nothing was even delivered, so nothing is marked as redelivered.
    let received = vhost.receive(&["--format", "json", "--drain", "q"]).run().expect(0);
    assert!(!String::from_utf8_lossy(&received.stdout).contains("redelivered\":true"));
}

#[test]
fn with_a_closed_standard_output_nothing_is_declared_or_sent() {
    let vhost = Vhost::filled(brokers::one(), 0);
    for script in [
        "rmq-declare new",
        "rmq-declare --check q",
        "rmq-declare --dry-run new",
        "rmq-declare --delete q",
        "rmq-send --tee -b x q",
        "rmq-send --dry-run -b x q",
    ] {
        let closed = run(&vhost, &format!("{script} >&-")).expect(74);
        closed.says("standard output is closed; nothing was done");
    }
    for tool in ["rmq-declare", "rmq-perm", "rmq-recv", "rmq-send"] {
        for option in ["--help", "--help=all", "--version", "--completions bash"] {
            run(&vhost, &format!("{tool} {option} >&-")).expect(74);
        }
    }
    vhost.tool("rmq-declare").arguments(&["--check", "new"]).run().expect(1);
    vhost.wait_held("q", Held::ready(0));
}

#[test]
fn a_closed_standard_input_is_74_where_it_is_read() {
    let vhost = Vhost::filled(brokers::one(), 0);
    for script in [
        "rmq-send q",
        "rmq-send q -",
        "rmq-send q /dev/stdin",
        "rmq-send --spool spool q",
        "rmq-send --dry-run q",
        "rmq-declare --csv -",
        "rmq-perm add-user nobody",
        "rmq-perm change-password nobody",
        "rmq-perm apply -",
    ] {
        run(&vhost, &format!("{script} <&-")).expect(74).says("closed; nothing was done");
    }
    run(&vhost, "rmq-send q 0>/dev/null").expect(74).says("standard input is not open for reading");
    run(&vhost, "rmq-send q </").expect(74).says("standard input is a directory");
    vhost.wait_held("q", Held::ready(0));
}

#[test]
fn what_is_not_used_may_be_closed() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("in"), "a\nb\n").unwrap();
    for script in [
        "rmq-send -b x q <&- >&- 2>&-",
        "rmq-send q in <&- >&- 2>&-",
        "rmq-send --spool spool q >&- 2>&- <in",
        "rmq-recv -n 1 q <&- 2>&-",
        "rmq-declare q <&- 2>&-",
    ] {
        let ended = shell(&vhost, directory.path(), script).run().expect(0);
        assert_eq!(ended.stderr, "", "{script}");
    }
    vhost.wait_held("q", Held::ready(4));
}

#[test]
fn diagnostics_never_land_in_a_file_or_a_connection() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let directory = tempfile::tempdir().unwrap();
    let script = "printf 'good\\n0123456789012\\nfine\\n' |
                  rmq-send -v --max-size 10 --rejects rejects --stats stats --spool spool q \
                  <&0 >&- 2>&-";
    shell(&vhost, directory.path(), script).run().expect(65);
    vhost.wait_held("q", Held::ready(2));
    assert_eq!(vhost.drain("q"), b"good\nfine\n");
    assert_eq!(fs::read(directory.path().join("rejects")).unwrap(), b"0123456789012\n");
    assert!(fs::read(directory.path().join("stats")).unwrap().starts_with(b"{"));
}

#[test]
fn a_password_that_nothing_would_show_is_not_given() {
    let cluster = brokers::one();
    let vhost = Vhost::new(cluster);
    let user = format!("generated-{}", vhost.name);
    let perm = |script: &str| {
        let directory = tempfile::tempdir().unwrap();
        Tool::shell(directory.path(), script)
            .environment("RABBITMQ_NODENAME", cluster.variable("RABBITMQ_NODENAME"))
            .environment("ERL_EPMD_PORT", cluster.variable("ERL_EPMD_PORT"))
            .environment("COOKIE", cluster.variable("RMQ_COOKIE_FILE"))
            .run()
    };
    let add = format!("rmq-perm --cookie-file $COOKIE add-user {user} --generate >&-");
    perm(&add).expect(74).says("standard output is closed");
    perm("rmq-perm --cookie-file $COOKIE list-users >&-").expect(74);
    let users = Way::Distribution.perm(cluster).arguments(&["list-users"]).run().expect(0);
    assert!(!String::from_utf8_lossy(&users.stdout).contains(&user));
    // A stream that was open at the start and is lost on the way is an error that says what to do.
    let gone = "| { exec <&-; touch gone; while [ ! -s status ]; do sleep 0.1; done; }";
    for (begin, lost) in [("", "> /dev/full"), ("while [ ! -e gone ]; do sleep 0.1; done;", gone)] {
        let script = format!(
            "{{ {begin} rmq-perm --cookie-file $COOKIE add-user --replace {user} --generate; \
             echo $? > status; }} {lost}; exit $(cat status)"
        );
        let told = perm(&script).expect(74);
        told.says(&format!("add user {user}: done, but the password could not be written: write"))
            .says(&format!("(set another: rmq-perm change-password {user})"));
    }
    perm(&format!("rmq-perm --cookie-file $COOKIE delete-user {user}")).expect(0);
    // It writes nothing, and needs nothing.
    let set = format!("rmq-perm --cookie-file $COOKIE add-vhost {user} >&- <&-");
    perm(&set).expect(0);
    perm(&format!("rmq-perm --cookie-file $COOKIE delete-vhost {user} >&- <&-")).expect(0);
}
