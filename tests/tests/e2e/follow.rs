//! `--follow` and `--positions`: files that grow and are rotated.

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

/// Nobody listens there.
const NOWHERE: &str = "amqp://127.0.0.1:1";

/// A log, the positions of it, and a queue it goes to.
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
    // Nothing is new, so that no broker is needed; and a line that is not whole waits.
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

/// Ways to rotate, each with the line that is written to the old file last.
fn rotate(place: &Place, way: usize, last: &str) {
    // As with logrotate, a higher number is older.
    let number = 9 - way;
    match way % 4 {
        // The writer has the old file open until it is told.
        0 => {
            place.rename("app.log", &format!("app.log.{number}"));
            place.append(&format!("app.log.{number}"), last);
            place.append("app.log", "");
        }
        1 => {
            place.append("app.log", last);
            fs::copy(place.path("app.log"), place.path(&format!("app-{number}.log"))).unwrap();
            File::create(place.path("app.log")).unwrap();
        }
        // It is gone for a while.
        2 => {
            place.append("app.log", last);
            place.rename("app.log", &format!("app.log-2026{way}"));
        }
        // Twice at once.
        _ => {
            place.rename("app.log", &format!("app.log.{number}.old"));
            place.append("app.log", last);
            place.rename("app.log", &format!("app.log.{number}"));
        }
    }
}

#[test]
fn rotation_of_any_kind_loses_nothing_and_keeps_the_order() {
    let place = Place::new();
    place.append("app.log", "first\n");
    let running = place.follow();
    let mut wanted = "first\n".to_owned();
    place.wait_sent(1);
    for way in 0..8 {
        let lines = [format!("last of {way}\n"), format!("after {way}\n")];
        rotate(&place, way, &lines[0]);
        place.append("app.log", &lines[1]);
        wanted.extend(lines);
        // Where the next rotation comes is left to chance in half of the cases.
        if way % 2 == 0 {
            place.wait_sent(wanted.lines().count());
        }
    }
    place.wait_sent(wanted.lines().count());
    running.signal(Signal::TERM);
    let ended = running.wait().expect_signal(Signal::TERM);
    assert_eq!(ended.stderr, "");
    assert_eq!(place.sent(), wanted);
}

#[test]
fn rotation_while_nothing_follows_loses_nothing_either() {
    let place = Place::new();
    let mut wanted = String::new();
    for way in 0..8 {
        let lines = [format!("{way}\n"), format!("last of {way}\n"), format!("after {way}\n")];
        let running = place.follow();
        place.append("app.log", &lines[0]);
        place.wait_sent(wanted.lines().count() + 1);
        running.signal(Signal::KILL);
        running.wait().expect_signal(Signal::KILL);
        rotate(&place, way, &lines[1]);
        place.append("app.log", &lines[2]);
        wanted.extend(lines);
        place.once().expect(0);
        // What was confirmed right before the kill may come again.
        let sent = place.sent();
        let mut all: Vec<&str> = sent.lines().collect();
        all.dedup();
        assert_eq!(all, wanted.lines().collect::<Vec<_>>(), "{sent}");
        place.vhost.send(&["logs"]).input(wanted.clone()).run().expect(0);
    }
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
fn what_was_sent_before_it_was_compressed_is_no_loss() {
    let place = Place::new();
    place.append("app.log", "1\n");
    place.once().expect(0);
    place.rename("app.log", "app.log.1");
    Tool::program("/bin/gzip").arguments(&[&place.name("app.log.1")]).run().expect(0);
    place.append("app.log", "2\n");
    place.once().expect(0);
    assert_eq!(place.sent(), "1\n2\n");
}

#[test]
fn a_followed_file_is_read_on_after_it_was_deleted() {
    let place = Place::new();
    place.append("app.log", "1\n");
    let running = place.follow();
    place.wait_sent(1);
    let mut writer = File::options().append(true).open(place.path("app.log")).unwrap();
    fs::remove_file(place.path("app.log")).unwrap();
    writer.write_all(b"2\n").unwrap();
    place.wait_sent(2);
    writer.write_all(b"3 without an end").unwrap();
    place.append("app.log", "4\n");
    place.wait_sent(4);
    running.signal(Signal::TERM);
    running.wait().expect_signal(Signal::TERM);
    let sent = place.sent();
    let mut sent: Vec<&str> = sent.lines().collect();
    sent.sort_unstable();
    assert_eq!(sent, ["1", "2", "3 without an end", "4"]);
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
    running.wait_stderr("No space left on device; sending goes on");
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

/// Writes lines, and rotates by copying and truncating, mostly, about every 10 ms, until told. How
/// many lines.
fn write_and_rotate(directory: &Path, is_over: &AtomicBool) -> usize {
    let (path, mut random) = (directory.join("app.log"), random("write_and_rotate"));
    let mut lines = 0;
    for rotation in 0.. {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        for _ in 0..random.u32(0..4) {
            lines += 1;
            append(&path, &format!("{lines}\n"));
        }
        let rotated = directory.join(format!("app.log-{rotation:06}"));
        match random.u32(..4) {
            0 => {
                fs::rename(&path, rotated).unwrap();
                append(&path, "");
            }
            _ => {
                fs::copy(&path, rotated).unwrap();
                File::create(&path).unwrap();
            }
        }
        std::thread::sleep(Duration::from_millis(random.u64(..20)));
    }
    lines
}

#[test]
fn runs_beside_a_log_that_is_truncated_all_the_time_lose_nothing() {
    let place = Place::new();
    place.append("app.log", "");
    let (directory, is_over) = (place.directory.path().to_owned(), AtomicBool::new(false));
    let time = Duration::from_secs(scale().rotating_seconds);
    let lines = std::thread::scope(|scope| {
        let writing = scope.spawn(|| write_and_rotate(&directory, &is_over));
        let begun = Instant::now();
        while begun.elapsed() < time {
            place.once().expect(0);
        }
        is_over.store(true, Ordering::Relaxed);
        writing.join().unwrap()
    });
    place.once().expect(0);
    let sent: Vec<usize> = place.sent().lines().map(|line| line.parse().unwrap()).collect();
    let lost: Vec<usize> = (1..=lines).filter(|line| !sent.contains(line)).collect();
    assert!(lost.is_empty(), "of {lines} lines: {lost:?}");
    let out_of_order: Vec<_> = sent.windows(2).filter(|pair| pair[0] + 1 != pair[1]).collect();
    assert!(out_of_order.is_empty(), "of {lines} lines: {out_of_order:?}");
}
