//! The resources that the tools take from the machine and the broker do not grow, however long they
//! run and however often they are disconnected, and are all released.

use rmq_tests::brokers;
use rmq_tests::limits::Taken;
use rmq_tests::observe::Held;
use rmq_tests::running::Running;
use rmq_tests::scale::scale;
use rmq_tests::text::numbered;
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::{wait_for, wait_until};
use rustix::process::Signal;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const LONG: Duration = Duration::from_secs(7200);
const SOON: Duration = Duration::from_secs(60);

/// By how many kibibytes memory may grow and still count as flat. The allocator takes 4 MiB at a
/// time from the system, two or three times until each of its heaps has what it needs.
const FLAT: usize = 16 << 10;

/// An rmq-send with a spool, one without, and an rmq-recv for each, all started.
struct Four {
    sending: [Running; 2],
    receiving: [Running; 2],
    /// What the receivers write to.
    files: [PathBuf; 2],
    passed: usize,
    _directory: TempDir,
}

impl Four {
    fn start(vhost: &Vhost<'_>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let spool = directory.path().join("spool");
        let queues = ["plain", "spooled"];
        for queue in queues {
            vhost.declare(&[], queue);
        }
        let files = queues.map(|queue| directory.path().join(queue));
        let send = |words: &[&str]| vhost.send(words).open_input().timeout(LONG).start();
        let receive = |queue: &str| {
            let file = File::create(directory.path().join(queue)).unwrap();
            vhost.receive(&[queue]).output_to(file).timeout(LONG).start()
        };
        let mut four = Four {
            sending: [send(&["plain"]), send(&["--spool", spool.to_str().unwrap(), "spooled"])],
            receiving: queues.map(receive),
            files,
            passed: 0,
            _directory: directory,
        };
        four.pass(1);
        four
    }

    /// Passes this many more lines through.
    fn pass(&mut self, count: usize) {
        let lines = self.passed..self.passed + count;
        self.passed += count;
        let text: String = lines.map(|number| format!("line {number}\n")).collect();
        let last = format!("line {}\n", self.passed - 1);
        for (sending, file) in self.sending.iter_mut().zip(&self.files) {
            let before = fs::metadata(file).unwrap().len();
            sending.write(text.as_bytes());
            wait_until(SOON, "the lines", || {
                let mut file = File::open(file).unwrap();
                file.seek(SeekFrom::Start(before)).unwrap();
                let mut new = String::new();
                file.read_to_string(&mut new).unwrap();
                new.contains(&last)
            });
        }
    }

    fn pids(&self) -> [u32; 4] {
        let [plain, spooled] = &self.sending;
        let [one, other] = &self.receiving;
        [plain, spooled, one, other].map(Running::pid)
    }

    fn taken(&self) -> [Taken; 4] {
        self.pids().map(Taken::by)
    }

    fn end(self) {
        for sending in self.sending {
            sending.finish().expect(0);
        }
        for receiving in self.receiving {
            receiving.signal(Signal::TERM);
            receiving.wait().expect_signal(Signal::TERM);
        }
    }
}

/// Threads, descriptors and zombies are as before, once all is over; memory has not grown
/// noticeably.
#[track_caller]
fn expect_flat(four: &Four, early: [Taken; 4]) {
    for (pid, early) in four.pids().into_iter().zip(early) {
        let flat = |late: Taken| {
            late.threads <= early.threads
                && late.descriptors <= early.descriptors
                && late.zombies == 0
                && late.resident <= early.resident + FLAT
        };
        let deadline = Instant::now() + SOON;
        loop {
            let late = Taken::by(pid);
            if flat(late) {
                eprintln!("{early:?}, then {late:?}");
                break;
            }
            assert!(Instant::now() < deadline, "{early:?}, then {late:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Nothing of ours is left on the broker.
fn expect_gone(vhost: &Vhost<'_>, queues: &[&str]) {
    vhost.wait_no_connections();
    wait_until(SOON, "no channel", || vhost.channels() == 0);
    for queue in queues {
        vhost.wait_held(queue, Held::ready(0));
    }
}

#[test]
fn what_they_take_is_flat_over_steady_load() {
    let vhost = Vhost::new(brokers::one());
    let mut four = Four::start(&vhost);
    let began = Instant::now();
    let length = Duration::from_secs(scale().steady_seconds);
    let mut early = None;
    while began.elapsed() < length {
        four.pass(200);
        // After a tenth of the time, everything that is ever needed exists.
        if early.is_none() && began.elapsed() > length / 10 {
            early = Some(four.taken());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    expect_flat(&four, early.unwrap());
    four.end();
    expect_gone(&vhost, &["plain", "spooled"]);
}

#[test]
fn what_they_take_is_flat_over_reconnects() {
    let vhost = Vhost::new(brokers::one());
    let mut four = Four::start(&vhost);
    let mut early = None;
    for round in 0..scale().reconnects {
        let before = vhost.connections();
        assert_eq!(before.len(), 4, "{before:?}");
        vhost.close_all_connections("test");
        wait_for(SOON, "four others", || {
            let now = vhost.connections();
            let new = now.iter().filter(|connection| !before.contains(connection)).count();
            (new == 4 && now.len() == 4).then_some(())
        });
        four.pass(1);
        if round == scale().reconnects / 10 {
            early = Some(four.taken());
        }
    }
    expect_flat(&four, early.unwrap());
    assert_eq!(vhost.channels(), 4);
    four.end();
    expect_gone(&vhost, &["plain", "spooled"]);
}

#[test]
fn commands_leave_nothing_behind() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    let receiving = vhost.receive(&["-j", "3", "q", "--", "true"]).timeout(LONG).start();
    let after = |messages: usize| {
        vhost.send(&["q"]).input(numbered(messages)).run().expect(0);
        // A command each, many a second.
        let done = Held { consumers: 1, ..Held::default() };
        wait_until(LONG, "the commands", || vhost.try_held("q") == Some(done));
        wait_for(SOON, "no command", || {
            Some(Taken::by(receiving.pid())).filter(|taken| taken.zombies == 0)
        })
    };
    let early = after(20);
    let late = after(scale().commands);
    assert!(late.descriptors <= early.descriptors, "{early:?}, then {late:?}");
    assert!(late.threads <= early.threads, "{early:?}, then {late:?}");
    assert!(late.resident <= early.resident + FLAT, "{early:?}, then {late:?}");
    receiving.signal(Signal::TERM);
    receiving.wait().expect_signal(Signal::TERM);
    expect_gone(&vhost, &["q"]);
}
