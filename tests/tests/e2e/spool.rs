//! `--spool`: what is read is safe, whatever happens to the broker and to rmq-send.

mod crashes;

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::scale::{random, scale};
use rmq_tests::text::{account, numbered};
use rmq_tests::tool::{Ended, Tool};
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_until;
use rustix::process::Signal;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(180);
/// Nothing listens there.
const NOWHERE: &str = "amqp://127.0.0.1:1";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The last segment of a spool, if it has one.
fn segment(spool: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(spool).ok()?.map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|kind| kind == "segment")).max()
}

#[test]
fn a_service_goes_on_while_the_broker_is_away_and_every_line_arrives_in_order() {
    let cluster = brokers::one_to_break();
    let vhost = Vhost::new(&cluster);
    vhost.declare(&[], "logs");
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    let lines = numbered(scale().restart_lines);
    let thirds: Vec<&[u8]> = lines.chunks(lines.len().div_ceil(3)).collect();
    let words = ["-v", "--spool", text(&spool), "logs"];
    let mut sending = vhost.send(&words).open_input().timeout(LONG).start();
    sending.feed(thirds[0]);
    let arrived = || vhost.try_held("logs").is_some_and(|held| held.messages() > 0);
    wait_until(Duration::from_secs(20), "the first lines", arrived);
    cluster.stop(&[1]);
    // Without a broker, all of it is accepted nevertheless.
    sending.write(thirds[1]);
    let lost = "lost the connection";
    sending.wait_stderr(lost);
    sending.feed(thirds[2]);
    cluster.start(&[1]);
    let sent = sending.finish().expect(0);
    assert_eq!(sent.tally("read"), scale().restart_lines);
    let out = vhost.drain("logs");
    let account = account(&out);
    assert_eq!(account.missing(scale().restart_lines), []);
    // Only what was on its way may have come twice.
    assert!(account.duplicates() <= sent.tally("resent"), "{}", account.duplicates());
    if account.duplicates() == 0 {
        assert!(out == lines);
    }
    vhost.wait_no_connections();
}

#[test]
fn what_one_run_left_the_next_one_sends_first() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    let spool = text(&spool);
    let words = ["--url", NOWHERE, "--retry", "0", "--spool", spool, "--message-id", "auto", "q"];
    let sent = vhost.send(&words).input("one\ntwo\n").run().expect(75);
    sent.says("no broker reached; 2 records are in the spool");
    let sent = vhost.send(&["--retry=0", "--url", NOWHERE, "--spool", spool, "q"]).run();
    sent.expect(75).says("2 records are in the spool");
    let sent = vhost.send(&["-v", "--spool", spool, "q"]).input("three\n").run().expect(0);
    let sent = sent.says("2 records of an earlier run");
    assert_eq!((sent.tally("read"), sent.tally("confirmed")), (1, 3));
    assert_eq!(vhost.drain("q"), b"one\ntwo\nthree\n");
    // Nothing of it is left, and nothing on standard error of the next run.
    let sent = vhost.send(&["--spool", spool, "q"]).run().expect(0);
    assert_eq!(sent.stderr, "");
}

#[test]
fn a_full_spool_makes_the_input_wait_and_says_so_once() {
    let cluster = brokers::one_to_break();
    let vhost = Vhost::new(&cluster);
    let directory = tempfile::tempdir().unwrap();
    for queue in ["bounded", "disk"] {
        vhost.declare(&[], queue);
        fs::create_dir(directory.path().join(queue)).unwrap();
    }
    let [bounded, disk] = ["bounded", "disk"].map(|name| directory.path().join(name));
    cluster.stop(&[1]);
    let lines = numbered(60_000);
    let words = ["--spool-max", "1M", "--spool", text(&bounded), "bounded"];
    let mut by_bound = vhost.send(&words).open_input().timeout(LONG).start();
    // A disk of its own, of one megabyte, under the spool.
    let small = Tool::on_a_small_disk("rmq-send", &disk, 1 << 20).timeout(LONG);
    let small = small.environment("AMQP_URL", &vhost.url()).arguments(&["--spool", text(&disk)]);
    let mut by_disk = small.arguments(&["disk"]).open_input().start();
    for sending in [&mut by_bound, &mut by_disk] {
        sending.feed(&lines);
    }
    by_bound.wait_stderr("full (--spool-max); the input waits");
    by_disk.wait_stderr("no space left on its disk; the input waits");
    let held = fs::read_dir(&bounded).unwrap().map(|file| file.unwrap().metadata().unwrap().len());
    let held = held.sum::<u64>();
    assert!(held <= (1 << 20) + 4096, "{held} bytes");
    let words = ["--spool-max", "1M", "--spool-full", "fail", "--spool"];
    let other = directory.path().join("other");
    let failed = vhost.send(&words).arguments(&[text(&other), "bounded"]).input(lines.clone());
    let failed = failed.run().expect(74).says("full (--spool-max)").says("read found no room");
    // What it read is in the spool, or reported as lost.
    assert_eq!(accounted(&failed), failed.tally("read"), "{}", failed.stderr);
    cluster.start(&[1]);
    for (sending, queue) in [(by_bound, "bounded"), (by_disk, "disk")] {
        let sent = sending.finish().expect(0);
        assert_eq!(sent.stderr.matches("the input waits").count(), 1, "{}", sent.stderr);
        assert!(vhost.drain(queue) == lines, "{queue}");
    }
}

#[test]
fn what_the_broker_refuses_for_good_is_set_aside_and_the_replay_goes_on() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    let input = "q:one\nnowhere:two\nq:three\n";
    let words = ["--spool", text(&spool), "--routed", "-K", ":"];
    let sent = vhost.send(&words).input(input).run().expect(65);
    let sent = sent.says("spooled record 2: publish to nowhere: no such queue");
    let sent = sent.says("1 record rejected, kept in ");
    assert_eq!((sent.tally("confirmed"), sent.tally("rejected")), (2, 1));
    assert_eq!(vhost.drain("q"), b"one\nthree\n");
    vhost.declare(&[], "nowhere");
    let rejected = spool.join("rejected");
    vhost.send(&["--format", "json", "--routed", text(&rejected)]).run().expect(0);
    assert_eq!(vhost.drain("nowhere"), b"two\n");
    // Nothing of it is left in the spool.
    assert_eq!(vhost.send(&["--spool", text(&spool), "q"]).run().expect(0).stderr, "");
}

#[test]
fn a_refusal_that_may_be_mended_leaves_everything_in_the_spool() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let nobody = format!("{}-nobody", vhost.name);
    vhost.add_user(&nobody, ["", "", ".*"]);
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    let words = ["--url", &vhost.url_for(&nobody), "--spool", text(&spool), "q"];
    let sent = vhost.send(&words).input("one\ntwo\n").run().expect(77);
    sent.says("2 records are in the spool");
    let sent = vhost.send(&["--spool", text(&spool), "nowhere"]).input("three\n").run().expect(65);
    let sent = sent.says("publish to nowhere: no such queue");
    // It stops reading at once; what it had read by then is kept, too.
    let kept = 2 + sent.tally("read");
    sent.says(&format!("{kept} records are in the spool"));
}

#[test]
fn a_spool_has_one_rmq_send_at_a_time() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    let words = ["--spool", text(&spool), "q"];
    let mut first = vhost.send(&words).open_input().start();
    first.write(b"one\n");
    vhost.wait_held("q", Held::ready(1));
    let second = vhost.send(&["--retry", "1s"]).arguments(&words).input("two\n").run().expect(75);
    second.says(&format!("in use by another rmq-send (pid {})", first.pid()));
    first.finish().expect(0);
    vhost.send(&words).input("two\n").run().expect(0);
    assert_eq!(vhost.drain("q"), b"one\ntwo\n");
}

#[test]
fn a_signal_ends_it_at_once_where_there_is_no_broker_and_the_spool_keeps_what_was_read() {
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    let words = ["--url", NOWHERE, "--spool", text(&spool), "q"];
    let mut sending = Tool::new("rmq-send").arguments(&words).open_input().start();
    sending.write(b"one\ntwo\nthr");
    wait_until(Duration::from_secs(10), "two records in the spool", || {
        segment(&spool).is_some_and(|file| fs::metadata(file).is_ok_and(|file| file.len() > 150))
    });
    let signalled = Instant::now();
    sending.signal(Signal::TERM);
    let sent = sending.wait().expect(75);
    assert!(signalled.elapsed() < Duration::from_secs(5));
    sent.says("3 bytes of an incomplete record not sent; 2 records are in the spool");
    // If it is empty, the signal is all there is to report.
    let empty = directory.path().join("empty");
    let words = ["--url", NOWHERE, "--spool", text(&empty), "q"];
    let sending = Tool::new("rmq-send").arguments(&words).open_input().start();
    wait_until(Duration::from_secs(10), "a spool", || empty.join("cursor").exists());
    std::thread::sleep(Duration::from_millis(300));
    sending.signal(Signal::TERM);
    sending.wait().expect_signal(Signal::TERM);
}

#[test]
fn input_that_is_none_of_its_format_is_told_and_what_is_good_is_spooled() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let directory = tempfile::tempdir().unwrap();
    let (spool, rejects) = (directory.path().join("spool"), directory.path().join("rejects"));
    let input = "q:one\nno key\nq:three\n";
    let words = ["--spool", text(&spool), "--routed", "-K", ":"];
    let sent = vhost.send(&words).input(input).run().expect(65);
    sent.says("line 2: no separator ':' in it").says("1 record rejected, kept in ");
    assert_eq!(vhost.drain("q"), b"one\nthree\n");
    let words = ["--rejects", text(&rejects), "--spool", text(&spool), "--routed", "-K", ":"];
    let sent = vhost.send(&words).input(input).run().expect(65);
    sent.says("line 2: no separator ':' in it").says("1 record rejected, kept in ");
    assert_eq!(vhost.drain("q"), b"one\nthree\n");
    assert_eq!(fs::read(&rejects).unwrap(), b"no key\n");
}

#[test]
fn what_does_not_go_with_a_spool_is_refused() {
    let table: &[(&[&str], &str)] = &[
        (&["--spool", "/nowhere/spool", "--tee", "q"], "--spool and --tee"),
        (&["--spool", "/nowhere/spool", "--ack-to", "ack", "q"], "--spool and --ack-to"),
        (&["--spool-max", "1G", "q"], "--spool-max requires --spool"),
        (&["--spool-full", "wait", "q"], "--spool-full requires --spool"),
        (&["--spool-full", "never", "q"], "neither wait nor fail"),
    ];
    for (words, said) in table {
        Tool::new("rmq-send").arguments(words).run().expect(64).says(said);
    }
    let sent = Tool::new("rmq-send").arguments(&["--spool", "/proc/nowhere/spool", "q"]).run();
    sent.expect(74).says("/proc/nowhere/spool: No such file or directory");
}

#[test]
fn a_signal_while_the_spool_is_full_says_what_found_no_room() {
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("made").join("on the way");
    let words = ["--url", NOWHERE, "--spool-max", "100K", "--spool", text(&spool), "q"];
    let mut sending = Tool::new("rmq-send").arguments(&words).open_input().start();
    sending.feed(&numbered(100_000));
    sending.wait_stderr("the input waits");
    sending.signal(Signal::TERM);
    let sent = sending.wait().expect(75);
    assert_eq!(accounted(&sent), sent.tally("read"), "{}", sent.stderr);
}

#[test]
fn with_nothing_to_send_no_broker_is_needed() {
    let directory = tempfile::tempdir().unwrap();
    let words = ["--url", NOWHERE, "--spool", text(directory.path()), "q"];
    assert_eq!(Tool::new("rmq-send").arguments(&words).run().expect(0).stderr, "");
}

/// Records in the spool, and those for which there was no room, according to the error.
fn accounted(sent: &Ended) -> usize {
    let number = |before: &str, after: &str| {
        let end = sent.stderr.find(after).unwrap_or_else(|| panic!("{}", sent.stderr));
        let start = sent.stderr[..end].rfind(before).unwrap() + before.len();
        sent.stderr[start..end].parse::<usize>().unwrap()
    };
    number("; ", " records are in the spool") + number("the last ", " records read found no room")
}
