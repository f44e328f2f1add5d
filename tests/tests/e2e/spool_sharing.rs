//! `--spool`: one run after another on the same directory, as a logger that is restarted gracefully.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::running::Running;
use rmq_tests::text::{account, numbered};
use rmq_tests::tool::Tool;
use rmq_tests::vhost::Vhost;
use rustix::process::Signal;
use std::path::Path;
use std::time::{Duration, Instant};

/// Nobody listens there.
const NOWHERE: &str = "amqp://127.0.0.1:1";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// It waits for the spool that `first` has.
fn waits_for(second: &Running, first: &Running) {
    let pid = first.pid();
    second.wait_stderr(&format!("in use by another rmq-send (pid {pid}); waiting, and nothing"));
}

#[test]
fn a_logger_that_is_restarted_gracefully_loses_no_line() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "logs");
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    let lines = numbered(900);
    let parts: Vec<&[u8]> = lines.split_inclusive(|byte| *byte == b'\n').collect();
    let parts: Vec<Vec<u8>> = parts.chunks(300).map(<[_]>::concat).collect();
    let words = ["-v", "--spool", text(&spool), "logs"];
    let mut old = vhost.send(&words).open_input().start();
    old.write(&parts[0]);
    vhost.wait_held("logs", Held::ready(300));
    // The new one starts, is written to, and the old one's last requests end after that.
    let mut new = vhost.send(&words).open_input().start();
    new.write(&parts[2]);
    waits_for(&new, &old);
    old.write(&parts[1]);
    let old = old.finish();
    assert_eq!(old.tally("read"), 600);
    let new = new.finish().expect(0);
    assert_eq!(account(&vhost.drain("logs")).missing(900), [], "{}{}", old.stderr, new.stderr);
    // One that has sent all of it says so; else the other one had the rest.
    assert!([Some(0), Some(75)].contains(&old.status.code()), "{}", old.stderr);
}

#[test]
fn while_no_broker_is_there_the_old_one_leaves_its_spool_to_the_new_one() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "logs");
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    let words = ["--spool", text(&spool), "logs"];
    let away = ["--url", NOWHERE, "--spool", text(&spool), "logs"];
    let mut old = Tool::new("rmq-send").arguments(&away).open_input().start();
    old.write(b"one\ntwo\n");
    old.wait_stderr("; records are kept in the spool ");
    let mut new = vhost.send(&words).open_input().start();
    new.write(b"three\n");
    waits_for(&new, &old);
    // While its own input is open, it continues by itself.
    assert!(old.is_running());
    let old = old.finish().expect(75);
    old.says("the rest is left to the rmq-send that waits for the spool; 2 records are in the");
    vhost.wait_held("logs", Held::ready(3));
    new.finish().expect(0);
    assert_eq!(vhost.drain("logs"), b"one\ntwo\nthree\n");
}

#[test]
fn what_a_killed_one_had_the_one_that_waits_goes_on_with() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "logs");
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    let words = ["--url", NOWHERE, "--spool", text(&spool), "logs"];
    let mut old = Tool::new("rmq-send").arguments(&words).open_input().start();
    old.write(b"one\n");
    old.wait_stderr("; records are kept in the spool ");
    let mut new = vhost.send(&["--spool", text(&spool), "logs"]).open_input().start();
    new.write(b"two\n");
    waits_for(&new, &old);
    // Nothing that is removed from the directory lets it in.
    for name in ["pid", "cursor"] {
        std::fs::remove_file(spool.join(name)).unwrap();
    }
    assert_eq!(vhost.held("logs"), Held::ready(0));
    old.signal(Signal::KILL);
    old.wait().expect_signal(Signal::KILL);
    let new = new.finish().expect(0);
    let over = format!("rmq-send: spool {}: no longer in use\n", spool.display());
    assert_eq!(new.stderr.matches(&over).count(), 1, "{}", new.stderr);
    assert_eq!(vhost.drain("logs"), b"one\ntwo\n");
}

#[test]
fn the_wait_for_a_spool_ends_by_a_signal_or_after_retry_where_the_input_has_ended() {
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    let words = ["--url", NOWHERE, "--spool", text(&spool), "q"];
    let mut old = Tool::new("rmq-send").arguments(&words).open_input().start();
    old.write(b"one\n");
    old.wait_stderr("; records are kept in the spool ");
    let mut new = Tool::new("rmq-send").arguments(&words).open_input().start();
    new.write(b"two\n");
    waits_for(&new, &old);
    new.signal(Signal::TERM);
    new.wait().expect_signal(Signal::TERM);
    for input in [&["--body", "two"][..], &["/dev/null"]] {
        let begun = Instant::now();
        let ended = Tool::new("rmq-send").arguments(&["--retry", "0"]).arguments(&words);
        let ended = ended.arguments(input).run().expect(75);
        ended.says(&format!("in use by another rmq-send (pid {})", old.pid()));
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
    old.signal(Signal::TERM);
    old.wait().expect(75).says("1 record is in the spool");
}

#[test]
fn one_try_is_enough_where_the_broker_is_there() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    let words = ["--retry", "0", "--spool", text(&spool)];
    for count in 1..=5 {
        vhost.send(&words).arguments(&["q"]).input("line\n").run().expect(0);
        assert_eq!(vhost.held("q"), Held::ready(count));
    }
    let sent = vhost.send(&words).arguments(&["--url", NOWHERE, "q"]).input("line\n").run();
    sent.expect(75).says("Connection refused; no broker reached; 1 record is in the spool");
}

#[test]
fn a_line_that_cannot_be_sent_does_not_stop_the_service_that_writes_it() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    let rejected = spool.join("rejected");
    let long = vec![b'x'; 17 << 20];
    let input = [b"one\n", &*long, b"\nthree\n"].concat();
    let words = ["-v", "--spool", text(&spool), "q"];
    let sent = vhost.send(&words).input(input).run().expect(65);
    let sent = sent.says("line 2: longer than --max-size 16777216; 1 record rejected, kept in ");
    assert_eq!((sent.tally("confirmed"), sent.tally("rejected")), (2, 1));
    assert_eq!(vhost.drain("q"), b"one\nthree\n");
    // What is kept can be sent as it is.
    let words = ["--format", "json", "--routed", "--max-size", "30M", "--window", "1"];
    let dry = vhost.send(&words).arguments(&["--dry-run", text(&rejected)]).run().expect(0);
    assert!(dry.stdout.starts_with(b"{\"exchange\":\"\",\"routing_key\":\"q\","));
    assert!(dry.stdout.windows(long.len()).any(|body| body == long));
    // The same for what is not in its format, and it stays what it was.
    let bad: [(&[&str], &str, &str); 3] = [
        (&["--format", "json", "q"], "{\"body\":\"four\"}\n{\"bo\n", "{\"bo\n"),
        (&["--routed", "-K", ":"], "q:four\nno key\n", "{\"body\":\"no key\"}\n"),
        (&["-0", "--routed", "-K", ":"], "q:four\0nul\0", "{\"body\":\"nul\"}\n"),
    ];
    for (words, input, kept) in bad {
        std::fs::remove_file(&rejected).unwrap();
        let sent = vhost.send(&["--spool", text(&spool)]).arguments(words).input(input);
        sent.run().expect(65).says("1 record rejected, kept in ");
        assert_eq!(vhost.drain("q"), b"four\n");
        assert_eq!(std::fs::read_to_string(&rejected).unwrap(), kept);
    }
}

#[test]
fn a_directory_that_is_not_ours_alone_is_refused_before_anything_is_read() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let (spool, victim) = (directory.path().join("spool"), directory.path().join("victim"));
    let words = ["--spool", text(&spool), "q"];
    std::fs::create_dir(&spool).unwrap();
    std::fs::set_permissions(&spool, PermissionsExt::from_mode(0o1777)).unwrap();
    let sent = vhost.send(&words).input("one\n").run().expect(74);
    sent.says(&format!("others can write to it (chmod go-w {})", spool.display()));
    std::fs::set_permissions(&spool, PermissionsExt::from_mode(0o700)).unwrap();
    std::fs::write(&victim, "precious").unwrap();
    symlink(&victim, spool.join("cursor")).unwrap();
    let sent = vhost.send(&words).input("one\n").run().expect(74);
    sent.says("cursor: a symbolic link, which is refused");
    std::fs::remove_file(spool.join("cursor")).unwrap();
    // What is refused for good would go through this one, late.
    symlink(&victim, spool.join("rejected")).unwrap();
    let words = ["--spool", text(&spool), "--routed", "-K", ":"];
    let sent = vhost.send(&words).input("nowhere:one\n").run().expect(74);
    sent.says("a symbolic link, which is refused").says("1 record is in the spool");
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    std::fs::remove_file(spool.join("rejected")).unwrap();
    assert_eq!(vhost.held("q"), Held::ready(0));
    vhost.send(&words).run().expect(65).says("1 record rejected, kept in ");
    let mode = spool.join("rejected").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn refused_credentials_do_not_stop_the_service_while_it_writes() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let (spool, password) = (directory.path().join("spool"), directory.path().join("password"));
    std::fs::write(&password, "wrong\n").unwrap();
    let words = ["--spool", text(&spool), "--password-file", text(&password), "q"];
    let mut sending = vhost.send(&words).open_input().start();
    sending.write(b"one\n");
    sending.wait_stderr("trying again; records are kept in the spool");
    assert!(sending.is_running());
    sending.write(b"two\n");
    let begun = Instant::now();
    let sent = sending.finish().expect(77).says("2 records are in the spool");
    assert_eq!(sent.stderr.matches("trying again").count(), 1, "{}", sent.stderr);
    assert!(begun.elapsed() < Duration::from_secs(20));
    vhost.send(&["--spool", text(&spool), "q"]).run().expect(0);
    assert_eq!(vhost.drain("q"), b"one\ntwo\n");
}
