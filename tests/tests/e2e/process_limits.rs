//! `ulimit`: one line and a status, and no hang, panic or signal.

use rmq_tests::brokers;
use rmq_tests::lost_answers::{Instead, answers_instead};
use rmq_tests::managed::{http_address, managed};
use rmq_tests::shell::executable;
use rmq_tests::tool::{Ended, Tool, binary};
use rmq_tests::vhost::Vhost;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

/// A small job of each tool, the last of which must not get as far as finding that nothing answers.
const JOBS: [&str; 4] = [
    "rmq-declare q",
    "rmq-send -b x q",
    "rmq-recv -n 1 q",
    "rmq-perm --api http://a:b@127.0.0.1:1 list-queues",
];

fn run(vhost: &Vhost<'_>, script: &str) -> Ended {
    let directory = tempfile::tempdir().unwrap();
    Tool::shell(directory.path(), script).environment("AMQP_URL", &vhost.url()).run()
}

#[track_caller]
fn is_one_line(ended: &Ended) {
    let Ended { stderr, .. } = ended;
    assert!(stderr.starts_with("rmq-") && stderr.lines().count() == 1, "{stderr}");
    assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
}

#[test]
fn a_limit_that_leaves_no_room_is_78_and_named() {
    let vhost = Vhost::filled(brokers::one(), 0);
    for (limits, named) in
        [(&["-n 4", "-n 6", "-n 12"][..], "ulimit -n"), (&["-v 30000", "-d 10000"], "ulimit -v")]
    {
        for (limit, job) in limits.iter().flat_map(|limit| JOBS.map(|job| (limit, job))) {
            let ended = run(&vhost, &format!("ulimit {limit} && exec {job}")).expect(78);
            is_one_line(&ended.says(named));
        }
    }
}

#[test]
fn a_limit_on_processes_is_78_and_named() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    for job in JOBS {
        let (tool, words) = job.split_once(' ').unwrap();
        // Where another user can run it: root is not held to the limit.
        let copy = directory.path().join(tool);
        executable(&copy, &fs::read(binary(tool)).unwrap());
        let user = if rustix::process::geteuid().is_root() {
            // Nobody else's: it is the user's processes that are counted.
            "setpriv --reuid=64987 --regid=65534 --clear-groups"
        } else {
            ""
        };
        let script =
            format!("cd /; exec prlimit --nproc=3 {user} env HOME=/ {} {words}", copy.display());
        is_one_line(&run(&vhost, &script).expect(78).says("ulimit -u"));
    }
}

/// Jobs that hold more than there is. Their limits let them begin, and 74 is the status of one that is
/// met later.
#[test]
fn memory_that_runs_out_later_is_74_and_not_a_signal() {
    let vhost = Vhost::filled(managed(), 0);
    let answer = format!("[\"{}\"]", "x".repeat(60 << 20));
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", answer.len());
    let first = [head, answer].concat().into_bytes();
    let instead = Instead { first, ..Instead::default() };
    let api = answers_instead("GET /api/users", &http_address(managed()), instead);
    let record = "head -c 100M /dev/zero | tr '\\0' x";
    vhost.send(&["--format", "whole", "q"]).input(vec![0xff; 15 << 20]).run().expect(0);
    for job in [
        format!("{record} | exec rmq-send --max-size 500M --format whole q"),
        "exec rmq-recv --format json -n 1 q".to_owned(),
        format!("(echo queue,arg; echo 'a,\"x-a=\"\"'; {record}) | exec rmq-declare --csv -"),
        format!("exec rmq-perm --api http://guest:guest@{api} list-users"),
    ] {
        let ended = run(&vhost, &format!("ulimit -v 95000; {job}")).expect(74);
        // The standard library's words, unless the memory was for what is read.
        let Ended { stderr, .. } = &ended;
        let is_named = stderr.starts_with("memory allocation of ")
            || (stderr.starts_with("rmq-") && stderr.ends_with(": out of memory\n"));
        assert!(is_named, "{job}: {stderr}");
    }
    assert_eq!(vhost.held("q").messages(), 1);
}

#[test]
fn a_small_stack_and_a_moderate_limit_on_memory_are_enough() {
    let vhost = Vhost::filled(brokers::one(), 0);
    for limit in ["-s 48", "-s 256", "-v 150000", "-v 170000", "-v 400000", "-n 40"] {
        let jobs = "rmq-declare --quiet q && rmq-send -b x q && rmq-recv -n 1 q";
        let script = format!("ulimit {limit} && {jobs}");
        let ended = run(&vhost, &script).expect(0);
        assert_eq!(ended.stderr, "", "{limit}");
        assert!(ended.stdout.ends_with(b"x\n"), "{limit}");
    }
}

#[test]
fn a_closed_stream_is_still_closed_where_memory_is_limited() {
    let vhost = Vhost::filled(brokers::one(), 1);
    run(&vhost, "ulimit -v 400000; rmq-recv --drain q >&-").expect(74).says("output is closed");
    run(&vhost, "ulimit -v 400000; rmq-send q <&-").expect(74).says("input is closed");
    assert_eq!(run(&vhost, "ulimit -v 400000; rmq-recv -n 1 q").expect(0).stderr, "");
}

#[test]
fn a_file_that_may_not_grow_is_74_and_not_a_signal() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let lines = "seq -f %0100.0f 2000";
    for (job, named) in [
        ("rmq-send --max-size 50 --rejects file q", "write file: File too large"),
        ("rmq-send --spool spool --retry 0 -u amqp://127.0.0.1:1 q", "File too large"),
        ("rmq-send --dry-run q >file", "standard output: File too large"),
        ("rmq-send --tee q >file", "standard output: File too large"),
    ] {
        let script = format!("ulimit -f 20; {lines} | {job}");
        run(&vhost, &script).expect(74).says(named);
    }
    for job in ["rmq-declare q >file", "rmq-send --help >file", "rmq-send --stats file -b x q"] {
        run(&vhost, &format!("ulimit -f 0; {job}")).expect(74).says("File too large");
    }
}
