//! `--follow` and `--positions`: files that grow and are rotated.

mod rotation;

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::running::Running;
use rmq_tests::scale::{random, scale};
use rmq_tests::tool::{Ended, Tool};
use rmq_tests::vhost::Vhost;
use rustix::process::Signal;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Nothing listens there.
const NOWHERE: &str = "amqp://127.0.0.1:1";

/// A log, its positions, and the queue for it.
struct Place {
    vhost: Vhost<'static>,
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        let vhost = Vhost::new(brokers::one());
        vhost.declare(&[], "logs");
        Place { vhost, directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn name(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn append(&self, name: &str, text: &str) {
        append(&self.path(name), text);
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn tool(&self, words: &[&str]) -> Tool {
        let (positions, log) = (self.name("positions"), self.name("app.log"));
        let own = ["--positions", &positions, "logs", &log];
        self.vhost.send(&[words, &own].concat())
    }

    fn once(&self) -> Ended {
        self.tool(&[]).run()
    }

    fn follow(&self) -> Running {
        self.tool(&["--follow"]).start()
    }

    fn wait_sent(&self, messages: usize) {
        self.vhost.wait_held("logs", Held::ready(messages));
    }

    fn sent(&self) -> String {
        String::from_utf8(self.vhost.drain("logs")).unwrap()
    }
}

fn append(path: &Path, text: &str) {
    let mut file = File::options().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_run_sends_what_is_new_since_the_last_one() {
    let place = Place::new();
    place.append("app.log", "1\n2\n");
    place.once().expect(0);
    assert_eq!(place.sent(), "1\n2\n");
    // Nothing is new, so no broker is needed; an incomplete line waits.
    place.append("app.log", "thr");
    place.tool(&["--url", NOWHERE]).run().expect(0);
    place.append("app.log", "ee\n4\n");
    // What a dry run shows is not sent.
    let shown = place.tool(&["--dry-run"]).run().expect(0);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("\"body\":\"three\""));
    let failed = place.tool(&["--url", NOWHERE, "--retry", "0"]).run().expect(75);
    assert!(failed.stderr.contains("; 8 bytes not confirmed"), "{}", failed.stderr);
    place.once().expect(0);
    assert_eq!(place.sent(), "three\n4\n");
}

#[test]
fn a_followed_line_is_sent_at_once_and_a_signal_ends_it() {
    let place = Place::new();
    let running = place.follow();
    running.wait_stderr("app.log: No such file or directory; waiting for it");
    place.append("app.log", "1\n");
    place.wait_sent(1);
    let begun = Instant::now();
    place.append("app.log", "2\npart");
    place.wait_sent(2);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    running.signal(Signal::TERM);
    running.wait().expect_signal(Signal::TERM);
    place.append("app.log", "ial\n");
    place.once().expect(0);
    assert_eq!(place.sent(), "1\n2\npartial\n");
}

#[test]
fn what_cannot_be_had_is_reported_once_and_the_rest_is_sent() {
    let place = Place::new();
    for (number, lose) in
        [(1, "rm app.log"), (2, ": > app.log"), (3, "gzip app.log && mv app.log.gz app.log.1.gz")]
    {
        place.append("app.log", &format!("{number}\n"));
        place.once().expect(0);
        place.append("app.log", "this is lost, as nothing follows it\n");
        let shell = Tool::program("/bin/sh").arguments(&["-c", &format!("cd \"$0\" && {lose}")]);
        shell.arguments(&[place.directory.path().to_str().unwrap()]).run().expect(0);
        place.append("app.log", "next\n");
        let ended = place.once().expect(74);
        assert!(ended.stderr.contains("app.log: the file that was read up to byte"), "{lose}");
        assert_eq!(place.sent(), format!("{number}\nnext\n"), "{lose}");
        place.once().expect(0);
        fs::remove_file(place.path("app.log")).unwrap();
        fs::remove_file(place.path("positions")).unwrap();
    }
}

#[test]
fn positions_that_cannot_be_trusted_or_saved_stop_the_run_before_anything_is_sent() {
    let place = Place::new();
    place.append("app.log", "1\n");
    place.once().expect(0);
    let good = fs::read(place.path("positions")).unwrap();
    let newer = String::from_utf8_lossy(&good).replace("positions\": 1", "positions\": 2");
    for (text, says) in [
        (&good[..good.len() / 2], "it breaks off (move it away"),
        (newer.as_bytes(), "of version 2, and this rmq-send knows version 1"),
        (b"[]", "not a positions file of rmq-send"),
    ] {
        fs::write(place.path("positions"), text).unwrap();
        assert!(place.once().expect(65).stderr.contains(says), "{says}");
        assert_eq!(fs::read(place.path("positions")).unwrap(), text);
    }
    fs::write(place.path("positions"), b"").unwrap();
    // Never from the end.
    let empty = place.tool(&["--from", "end"]).run().expect(0);
    assert!(empty.stderr.contains("empty; the files are sent from their beginning"));
    assert_eq!(place.sent(), "1\n1\n");
    let running = place.follow();
    place.append("app.log", "2\n");
    place.wait_sent(1);
    assert!(place.once().expect(75).stderr.contains("in use by another rmq-send"));
    running.signal(Signal::KILL);
    running.wait().expect_signal(Signal::KILL);
    let log = place.name("app.log");
    let missing = place.name("no/positions");
    let refused = place.vhost.send(&["--positions", &missing, "logs", &log]).run().expect(74);
    assert!(refused.stderr.contains("No such file or directory"), "{}", refused.stderr);
}

#[test]
fn a_full_disk_stops_neither_the_sending_nor_the_log() {
    let place = Place::new();
    let disk = place.path("disk");
    fs::create_dir(&disk).unwrap();
    place.append("app.log", "1\n");
    let (positions, log) = (place.name("disk/positions"), place.name("app.log"));
    let words = ["--url", &place.vhost.url(), "--follow", "--positions", &positions, "logs", &log];
    let tool = Tool::on_a_small_disk("rmq-send", &disk, 64 << 10).arguments(&words);
    let running = tool.start();
    place.wait_sent(1);
    let inside = format!("/proc/{}/root{}", running.pid(), disk.display());
    let mut filler = File::create(Path::new(&inside).join("filler")).unwrap();
    while filler.write_all(&[0; 4096]).is_ok() {}
    place.append("app.log", "2\n");
    running.wait_stderr("No space left on device; sending continues");
    place.wait_sent(2);
    drop(filler);
    fs::remove_file(Path::new(&inside).join("filler")).unwrap();
    running.wait_stderr("saved again");
    running.signal(Signal::TERM);
    running.wait().expect_signal(Signal::TERM);
}

#[test]
fn a_line_that_cannot_be_sent_stays_unless_it_is_kept() {
    let place = Place::new();
    let long = "x".repeat(200_000);
    place.append("app.log", &format!("1\n{long}\n3\n"));
    let limit = ["--max-size", "100"];
    for _ in 0..2 {
        let ended = place.tool(&limit).run().expect(65);
        let says = "app.log: line at byte 2: longer than --max-size 100";
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
    }
    assert_eq!(place.sent(), "1\n");
    let rejects = place.name("rejects");
    let ended = place.tool(&[&limit[..], &["--rejects", &rejects]].concat()).run().expect(65);
    assert!(ended.stderr.contains("1 record rejected, kept in"), "{}", ended.stderr);
    assert_eq!(fs::read_to_string(&rejects).unwrap(), format!("{long}\n"));
    assert_eq!(place.sent(), "3\n");
    place.once().expect(0);
    assert_eq!(place.sent(), "");
}

#[test]
fn several_files_have_their_turns_and_their_names() {
    let place = Place::new();
    let [one, two] = ["one.log", "two.log"].map(|name| place.name(name));
    place.append("one.log", &"one\n".repeat(30_000));
    let positions = place.name("positions");
    let words = ["--follow", "--positions", &positions, "--source-header", "from", "logs"];
    let running = place.vhost.send(&[&words[..], &[&one, &two]].concat()).start();
    place.append("two.log", "two\n");
    place.wait_sent(30_001);
    running.signal(Signal::TERM);
    running.wait().expect_signal(Signal::TERM);
    let received = place.vhost.receive(&["--drain", "--format", "json", "logs"]).run().expect(0);
    let text = String::from_utf8(received.stdout).unwrap();
    let at = text.lines().position(|line| line.contains("two.log")).unwrap();
    assert!(at < 27_000, "{at}");
    let headers = format!("\"headers\":{{\"from\":\"{one}\"}}");
    assert_eq!(text.lines().filter(|line| line.contains(&headers)).count(), 30_000);
}

#[test]
fn the_end_is_where_a_run_begins_that_is_told_so_but_only_once() {
    let place = Place::new();
    place.append("app.log", "old\nhal");
    place.tool(&["--from", "end"]).run().expect(0);
    place.append("app.log", "f\nnew\n");
    place.tool(&["--from", "end"]).run().expect(0);
    assert_eq!(place.sent(), "half\nnew\n");
}

#[test]
fn how_far_it_is_behind_is_in_the_statistics() {
    let place = Place::new();
    place.append("app.log", "1\n2\nhalf");
    let stats = place.name("stats");
    place.tool(&["--stats", &stats]).run().expect(0);
    let text = fs::read_to_string(&stats).unwrap();
    assert!(text.contains("\"bytes_behind\":4"), "{text}");
}

#[test]
fn what_cannot_be_followed_is_refused() {
    let place = Place::new();
    place.append("app.log", "");
    let log = place.name("app.log");
    let directory = place.directory.path().to_str().unwrap();
    for (words, status) in [
        (&["--follow", "logs"][..], 64),
        (&["--follow", "logs", "-"], 64),
        (&["--follow", "--format", "whole", "logs", &log], 64),
        (&["--follow", "--spool", "spool", "logs", &log], 64),
        (&["--from", "end", "logs", &log], 64),
        (&["--follow", "logs", &log, &log], 64),
        (&["--positions", &log, "logs", &log], 64),
        (&["--follow", "logs", directory], 74),
        (&["--follow", "logs", "/dev/null"], 74),
        (&["--positions", "/dev/null", "logs", &log], 64),
        (&["--positions", &place.name("p"), "logs", &place.name("none")], 74),
    ] {
        let ended = place.vhost.send(words).run();
        assert_eq!(ended.status.code(), Some(status), "{words:?}: {}", ended.stderr);
    }
}
