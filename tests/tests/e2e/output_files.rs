//! The files that rmq-send writes, if something else is in their place.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::tool::Tool;
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_until;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;
use std::fs;
use std::path::Path;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(20);

fn fifo(path: &Path) -> &str {
    mknodat(CWD, path, FileType::Fifo, Mode::RWXU, 0).unwrap();
    path.to_str().unwrap()
}

#[test]
fn two_runs_never_share_a_file_of_rejects() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let rejects = directory.path().join("rejects");
    let words = ["--max-size=3", "--rejects", rejects.to_str().unwrap(), "q"];
    let mut first = vhost.send(&words).open_input().start();
    first.write(b"one\n");
    vhost.wait_held("q", Held::ready(1));
    let second = vhost.send(&words).input("three\n").run().expect(75);
    second.says(": in use by another rmq-send");
    first.write(b"seven\n");
    first.finish().expect(65);
    vhost.send(&words).input("eight\n").run().expect(65);
    assert_eq!(fs::read(&rejects).unwrap(), b"seven\neight\n");
}

#[test]
fn what_nothing_reads_is_not_kept() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let fifo = fifo(&directory.path().join("fifo")).to_owned();
    for option in ["--rejects", "--stats"] {
        let sent = vhost.send(&["--max-size=3", option, &fifo, "q"]).input("three\n").run();
        sent.expect(74).says("fifo: nothing reads it");
    }
    let input = "one\nthree\n";
    let sent = vhost.send(&["--max-size=3", "--rejects", "/dev/stderr", "q"]).input(input).run();
    let sent = sent.expect(65).says("; 1 record rejected, written to /dev/stderr");
    assert!(sent.stderr.lines().any(|line| line == "three"), "{}", sent.stderr);
    let sent = vhost.send(&["--max-size=3", "--rejects", "/dev/full", "q"]).input(input).run();
    let sent = sent.expect(74).says("write /dev/full: No space left on device");
    assert!(!sent.stderr.contains("rejected, "), "{}", sent.stderr);
    let name = directory.path().to_str().unwrap();
    let sent = vhost.send(&["--rejects", name, "q"]).input(input).run().expect(74);
    sent.says(": Is a directory");
    assert_eq!(vhost.drain("q"), b"one\none\n");
}

#[test]
fn a_file_has_one_use_in_a_run() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let [file, out] = ["file", "out"].map(|name| directory.path().join(name));
    fs::write(&file, "precious\n").unwrap();
    let [name, out] = [&file, &out].map(|path| path.to_str().unwrap());
    let table: [(&[&str], &str); 5] = [
        (&["--rejects", name, "q", name], ": the input is read from it"),
        (&["--stats", name, "q", name], ": the input is read from it"),
        (&["--rejects", name, "--stats", name, "q"], ": --rejects writes to it"),
        (&["--tee", "--rejects", out, "q", "/dev/null"], ": --tee writes to it"),
        (&["--tee", "--stats", "/dev/stdout", "q", "/dev/null"], ": --tee writes to it"),
    ];
    for (words, why) in table {
        let output = fs::File::create(out).unwrap();
        vhost.send(words).output_to(output).run().expect(64).says(why);
        assert_eq!(fs::read(&file).unwrap(), b"precious\n", "{words:?}");
    }
    // With a spool the rejects are opened later.
    let spool = directory.path().join("spool");
    let words = ["--spool", spool.to_str().unwrap(), "--rejects", name, "--stats", name, "q"];
    vhost.send(&words).run().expect(64).says(": --rejects writes to it");
    assert_eq!(vhost.held("q"), Held::ready(0));
}

#[test]
fn rejects_are_in_the_order_of_the_input_whatever_is_wrong_with_each() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let rejects = directory.path().join("rejects");
    let long = format!("{{\"routing_key\":\"q\",\"body\":\"{}\"}}\n", "x".repeat(2000));
    let mut input = String::new();
    let mut expected = String::new();
    for number in 1..=200 {
        let line = match number % 5 {
            0 => format!("{{\"number\":{number}\n"),
            1 => format!("{{\"routing_key\":\"nowhere\",\"body\":\"{number}\"}}\n"),
            2 if number % 10 == 2 => long.clone(),
            _ => {
                input.push_str(&format!("{{\"routing_key\":\"q\",\"body\":\"{number}\"}}\n"));
                continue;
            }
        };
        input.push_str(&line);
        expected.push_str(&line);
    }
    let words = ["--format=json", "--routed", "--max-size=1000", "--rejects"];
    let sent = vhost.send(&words).arguments(&[rejects.to_str().unwrap()]).input(input);
    let sent = sent.run().expect(65).says("line 1: publish to nowhere: no such queue");
    assert_eq!((sent.tally("confirmed"), sent.tally("rejected")), (100, 100));
    assert_eq!(fs::read_to_string(&rejects).unwrap(), expected);
}

#[test]
fn a_file_that_takes_the_place_of_the_fifo_is_not_written_to() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ack");
    let name = fifo(&path).to_owned();
    let words = ["--url", "amqp://127.0.0.1:1", "--ack-to", &name, "q"];
    let sending = Tool::new("rmq-send").arguments(&words).open_input().start();
    sending.wait_stderr("waiting for a reader");
    let other = directory.path().join("other");
    fs::write(&other, "precious").unwrap();
    fs::rename(&other, &path).unwrap();
    sending.wait().expect(64).says("not a FIFO (see mkfifo(1))");
    assert_eq!(fs::read(&path).unwrap(), b"precious");
}

#[test]
fn a_signal_ends_the_wait_for_the_reader_of_a_fifo() {
    let directory = tempfile::tempdir().unwrap();
    let name = fifo(&directory.path().join("ack")).to_owned();
    let words = ["--url", "amqp://127.0.0.1:1", "--ack-to", &name, "q"];
    let sending = Tool::new("rmq-send").arguments(&words).open_input().start();
    sending.wait_stderr("waiting for a reader");
    sending.signal(Signal::TERM);
    sending.wait().expect_signal(Signal::TERM);
}

#[test]
fn nothing_of_a_stranger_is_written_through_in_a_directory_for_everybody() {
    use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
    if !rustix::process::geteuid().is_root() {
        // Files of another user cannot be created; the unit tests cover the rule.
        return;
    }
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o1777)).unwrap();
    let [victim, link, ack] = ["victim", "link", "ack"].map(|name| directory.path().join(name));
    fs::write(&victim, "precious").unwrap();
    symlink(&victim, &link).unwrap();
    lchown(&link, Some(65_534), None).unwrap();
    let link = link.to_str().unwrap();
    for option in ["--rejects", "--stats"] {
        let sent = vhost.send(&["--max-size=3", option, link, "q"]).input("three\n").run();
        sent.expect(74).says("a symbolic link of user 65534, which is not followed");
    }
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
    let ack_name = fifo(&ack).to_owned();
    chown(&ack, Some(65_534), None).unwrap();
    let words = ["--ack", "downstream", "--ack-from", &ack_name, "q"];
    let received = vhost.receive(&words).run();
    received.expect(74).says("belongs to user 65534, in a directory that everyone can write to");
    let _reader = fs::File::options().read(true).write(true).open(&ack).unwrap();
    let sent = vhost.send(&["--ack-to", &ack_name, "q"]).input("one\n").run().expect(74);
    sent.says("belongs to user 65534, in a directory that everyone can write to");
    wait_until(LONG, "nothing sent", || vhost.held("q") == Held::ready(0));
}

#[test]
fn what_a_shell_has_written_to_a_stream_stays_before_what_is_written_there() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let lines = |script: &str, status: i32| {
        let script = format!("{{ echo before; {script}; status=$?; echo after; }}");
        let script = format!("{script} >out 2>err 3>three; exit $status");
        let shell = Tool::shell(directory.path(), &script);
        shell.environment("AMQP_URL", &vhost.url()).run().expect(status);
        let text = |name: &str| fs::read_to_string(directory.path().join(name)).unwrap();
        ["out", "err", "three"].map(text)
    };
    let [out, err, _] = lines("rmq-send --stats /dev/stdout -b x q", 0);
    let all: Vec<&str> = out.lines().collect();
    assert!(all.len() == 3 && all[0] == "before" && all[2] == "after", "{out}");
    assert!(all[1].starts_with('{') && all[1].ends_with('}') && err.is_empty(), "{out}{err}");
    let [out, ..] = lines("echo long | rmq-send --max-size 3 --rejects /dev/stdout q", 65);
    assert_eq!(out, "before\nlong\nafter\n");
    let script = "echo first >&2; rmq-send -v --stats /dev/stderr -b x q";
    let [_, err, _] = lines(script, 0);
    assert!(
        err.starts_with("first\n") && err.contains("confirmed 1") && err.contains("\n{"),
        "{err}"
    );
    let [.., three] = lines("echo first >&3; rmq-send --stats /dev/fd/3 -b x q", 0);
    assert!(three.starts_with("first\n{") && three.ends_with("}\n"), "{three}");
    // Nor do two kinds of output mix in a pipe.
    let words = ["--tee", "--stats", "/dev/stdout", "q"];
    vhost.send(&words).input("x\n").run().expect(64).says(": --tee writes to it");
}
