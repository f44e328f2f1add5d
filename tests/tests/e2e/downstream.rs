//! `--ack downstream`: the test plays the filter and the sender.

mod filters;
mod losses;

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::running::Running;
use rmq_tests::text::{account, lines, numbered};
use rmq_tests::tool::Tool;
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::{wait_for, wait_until};
use rustix::process::Signal;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

const RUN: &str = "00112233445566778899aabbccddeeff";
const OTHER: &str = "ffeeddccbbaa99887766554433221100";
const SOON: Duration = Duration::from_secs(20);

/// A FIFO for acknowledgements, and its writer.
struct Fifo {
    _directory: TempDir,
    path: PathBuf,
}

impl Fifo {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ack");
        Tool::program("mkfifo").arguments(&[path.to_str().unwrap()]).run().expect(0);
        Fifo { _directory: directory, path }
    }

    fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }

    /// Opens it as a sender does: as soon as it has a reader.
    fn sender(&self, run: &str) -> File {
        let no_blocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let open =
            || OpenOptions::new().write(true).custom_flags(no_blocking).open(&self.path).ok();
        let mut sender = wait_for(SOON, "somebody who listens", open);
        writeln!(sender, "run {run}").unwrap();
        sender
    }
}

/// An rmq-recv of `vhost`, and its sender, which has reported the first record as done.
fn begun(vhost: &Vhost<'_>, fifo: &Fifo, words: &[&str]) -> (Running, File) {
    let receiving = receive(vhost, fifo, words);
    let mut sender = fifo.sender(RUN);
    receiving.wait_stdout(numbered(1).len());
    writeln!(sender, "{RUN} 1").unwrap();
    (receiving, sender)
}

/// The same with envelopes, and the ids of the ten that have arrived.
fn begun_by_ids(vhost: &Vhost<'_>, fifo: &Fifo) -> (Running, File, Vec<String>) {
    let receiving = receive(vhost, fifo, &["--format", "json", "q"]);
    let mut sender = fifo.sender(RUN);
    writeln!(sender, "{RUN} id {}", wait_ids(&receiving, 1)[0]).unwrap();
    let ids = wait_ids(&receiving, 10);
    (receiving, sender, ids)
}

fn receive(vhost: &Vhost<'_>, fifo: &Fifo, words: &[&str]) -> Running {
    let start = ["--ack", "downstream", "--ack-from", fifo.path()];
    vhost.receive(&start).arguments(words).start()
}

fn wait_messages(vhost: &Vhost<'_>, count: usize) {
    wait_until(SOON, &format!("{count} messages"), || vhost.held("q").messages() == count);
}

/// The ids of the envelopes that have arrived.
fn ids(receiving: &Running) -> Vec<String> {
    let text = String::from_utf8(receiving.stdout()).unwrap();
    let ids = text.lines().filter_map(|line| {
        let (id, _) = line.strip_prefix("{\"id\":\"")?.split_once('"')?;
        Some(id.to_owned())
    });
    ids.collect()
}

fn wait_ids(receiving: &Running, count: usize) -> Vec<String> {
    wait_until(SOON, &format!("{count} envelopes"), || ids(receiving).len() >= count);
    ids(receiving)
}

#[test]
fn exactly_what_the_sender_says_is_acknowledged() {
    let vhost = Vhost::filled(brokers::one(), 100);
    let fifo = Fifo::new();
    let start = ["--ack", "downstream", "--ack-from", fifo.path(), "q"];
    let mut receiving = vhost.receive(&start).output_to_pipe().start();
    let mut output = receiving.take_output();
    let mut sender = fifo.sender(RUN);
    // Only one until the first is acknowledged.
    let mut text = vec![0; numbered(1).len()];
    output.read_exact(&mut text).unwrap();
    assert_eq!(text, numbered(1));
    assert_eq!(vhost.held("q"), Held { ready: 99, unacked: 1, consumers: 1 });
    writeln!(sender, "{RUN} 1").unwrap();
    text.resize(numbered(100).len(), 0);
    output.read_exact(&mut text[numbered(1).len()..]).unwrap();
    assert_eq!(text, numbered(100));
    vhost.wait_held("q", Held { ready: 0, unacked: 99, consumers: 1 });
    writeln!(sender, "{RUN} 40").unwrap();
    wait_messages(&vhost, 60);
    receiving.signal(Signal::TERM);
    // Its output ends; the last ones count, too; then the sender is done.
    assert_eq!(output.read_to_end(&mut text).unwrap(), 0);
    writeln!(sender, "{RUN} 50").unwrap();
    drop(sender);
    receiving.wait().expect_signal(Signal::TERM);
    vhost.wait_held("q", Held::ready(50));
}

#[test]
fn a_body_with_newlines_is_as_many_records_as_the_filter_sees() {
    let vhost = Vhost::filled(brokers::one(), 0);
    vhost.send(&["--format", "nul", "q"]).input(*b"a\nb\0c\n\0d\0").run().expect(0);
    let fifo = Fifo::new();
    let receiving = receive(&vhost, &fifo, &["q"]);
    let mut sender = fifo.sender(RUN);
    receiving.wait_stdout(b"a\nb\n".len());
    writeln!(sender, "{RUN} 1").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(vhost.held("q").messages(), 3);
    writeln!(sender, "{RUN} 2").unwrap();
    receiving.wait_stdout(b"a\nb\nc\n\nd\n".len());
    writeln!(sender, "{RUN} 4").unwrap();
    wait_messages(&vhost, 1);
    writeln!(sender, "{RUN} 5").unwrap();
    wait_messages(&vhost, 0);
}

#[test]
fn what_cannot_be_meant_is_told_once_and_never_obeyed() {
    let vhost = Vhost::filled(brokers::one(), 10);
    let fifo = Fifo::new();
    let (receiving, mut sender) = begun(&vhost, &fifo, &["q"]);
    receiving.wait_stdout(numbered(10).len());
    writeln!(sender, "{RUN} 5").unwrap();
    wait_messages(&vhost, 5);
    for (line, told) in [
        (format!("{RUN} 11"), "acknowledged more records than were written"),
        (format!("{RUN} 4"), "acknowledged fewer records than before"),
        (format!("{OTHER} 9"), "from another sender than the first"),
        (format!("run {OTHER}"), "a second sender"),
        (format!("{OTHER} 10"), "from another sender than the first"),
        (format!("{RUN} id x.1.2"), "which only --format json has"),
        ("hello".to_owned(), "rmq-send --ack-to does not write"),
        ("hello".to_owned(), "rmq-send --ack-to does not write"),
    ] {
        writeln!(sender, "{line}").unwrap();
        receiving.wait_stderr(told);
        assert_eq!(receiving.stderr().matches(told).count(), 1, "{}", receiving.stderr());
        assert_eq!(vhost.held("q").messages(), 5, "{line}");
    }
    writeln!(sender, "{RUN} 10").unwrap();
    wait_messages(&vhost, 0);
}

#[test]
fn envelopes_are_acknowledged_by_their_ids_in_any_order_and_each_once() {
    let vhost = Vhost::filled(brokers::one(), 10);
    let fifo = Fifo::new();
    let (receiving, mut sender, all) = begun_by_ids(&vhost, &fifo);
    for (index, left) in [(9, 8), (3, 7), (1, 6), (2, 5)] {
        writeln!(sender, "{RUN} id {}", all[index]).unwrap();
        wait_messages(&vhost, left);
    }
    let far = format!("{}9", all[9]);
    for (id, told) in [
        (all[3].as_str(), "an id that was acknowledged before"),
        (far.as_str(), "never written"),
        ("0123456789abcdef.1.5", "not from this run"),
    ] {
        writeln!(sender, "{RUN} id {id}").unwrap();
        receiving.wait_stderr(told);
        assert_eq!(vhost.held("q").messages(), 5);
    }
    writeln!(sender, "{RUN} 10").unwrap();
    receiving.wait_stderr("but --format json needs ids");
    assert_eq!(vhost.held("q").messages(), 5);
    for id in &all[4..9] {
        writeln!(sender, "{RUN} id {id}").unwrap();
    }
    wait_messages(&vhost, 0);
}

#[test]
fn a_sender_that_goes_is_75_and_what_is_not_done_is_back() {
    let vhost = Vhost::filled(brokers::one(), 20);
    let fifo = Fifo::new();
    let (receiving, mut sender) = begun(&vhost, &fifo, &["q"]);
    receiving.wait_stdout(numbered(20).len());
    writeln!(sender, "{RUN} 7").unwrap();
    drop(sender);
    receiving.wait().expect(75).says("the sender is gone").says("13 messages");
    vhost.wait_held("q", Held::ready(13));
    vhost.wait_no_connections();
}

#[test]
fn with_n_standard_output_ends_before_the_last_acknowledgements_come() {
    let vhost = Vhost::filled(brokers::one(), 20);
    let fifo = Fifo::new();
    let start = ["--ack-from", fifo.path(), "-n", "10", "q"];
    let mut receiving = vhost.receive(&start).output_to_pipe().start();
    let mut output = receiving.take_output();
    let mut sender = fifo.sender(RUN);
    let mut text = Vec::new();
    for number in 1..=9 {
        let mut line = vec![0; numbered(number).len() - text.len()];
        output.read_exact(&mut line).unwrap();
        text.extend(line);
        writeln!(sender, "{RUN} {number}").unwrap();
    }
    // The tenth is not reported as done, and the end comes nevertheless.
    output.read_to_end(&mut text).unwrap();
    assert_eq!(text, numbered(10));
    assert!(receiving.is_running());
    writeln!(sender, "{RUN} 10").unwrap();
    receiving.wait().expect(0);
    vhost.wait_held("q", Held::ready(10));
}

#[test]
fn acknowledgements_are_read_while_standard_output_blocks() {
    let vhost = Vhost::filled(brokers::one(), 0);
    // Together more than a pipe holds.
    let body = vec![b'x'; 10_000];
    let line = [&body[..], b"\n"].concat();
    vhost.send(&["q"]).input(line.repeat(50)).run().expect(0);
    let fifo = Fifo::new();
    let start = ["--ack-from", fifo.path(), "q"];
    let mut receiving = vhost.receive(&start).output_to_pipe().start();
    let mut output = receiving.take_output();
    let mut sender = fifo.sender(RUN);
    let mut one = vec![0; line.len()];
    output.read_exact(&mut one).unwrap();
    writeln!(sender, "{RUN} 1").unwrap();
    output.read_exact(&mut one).unwrap();
    // From here on nothing is read, and the sender has more to report than its FIFO holds.
    let foreign = format!("{OTHER} 1\n").repeat(10_000);
    let mut written = 0;
    wait_until(SOON, "everything is said", || {
        written += sender.write(&foreign.as_bytes()[written..]).unwrap_or(0);
        written == foreign.len()
    });
    while sender.write(format!("{RUN} 2\n").as_bytes()).is_err() {}
    wait_messages(&vhost, 48);
    drop(output);
    drop(sender);
    receiving.wait().expect(75);
    vhost.wait_held("q", Held::ready(48));
}

#[test]
fn a_sender_that_spoke_before_the_fifo_was_opened_is_never_obeyed() {
    let vhost = Vhost::filled(brokers::one(), 3);
    let fifo = Fifo::new();
    // A sender of an earlier run, whose reader is gone: with both ends open, its reports stay.
    let mut earlier = OpenOptions::new().read(true).write(true).open(fifo.path()).unwrap();
    writeln!(earlier, "run {OTHER}\n{OTHER} 1").unwrap();
    let receiving = receive(&vhost, &fifo, &["q"]);
    receiving.wait_stderr("a line that an earlier sender left in the FIFO");
    receiving.wait_stdout(numbered(1).len());
    let mut sender = fifo.sender(RUN);
    writeln!(earlier, "run {OTHER}\n{OTHER} 1").unwrap();
    receiving.wait_stderr("a sender of an earlier run announced itself");
    receiving.wait_stderr("from another sender than the first");
    assert_eq!(vhost.held("q").messages(), 3);
    writeln!(sender, "{RUN} 1").unwrap();
    wait_messages(&vhost, 2);
}

#[test]
fn what_is_no_fifo_is_refused() {
    let vhost = Vhost::filled(brokers::one(), 0);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    File::create(&file).unwrap();
    let file = file.to_str().unwrap();
    vhost.receive(&["--ack-from", file, "q"]).run().expect(64).says("not a FIFO");
    vhost.receive(&["--ack-from", "/nowhere", "q"]).run().expect(64).says("create it with mkfifo");
    let words = ["--ack-from", file, "--ack", "read", "q"];
    vhost.receive(&words).run().expect(64).says("--ack-from requires --ack downstream");
    vhost.receive(&["--ack", "downstream", "q"]).run().expect(64).says("requires --ack-from");
    let words = ["--ack-from", file, "--format", "%s", "q"];
    vhost.receive(&words).run().expect(64).says("a template must end with");
}
