//! Every stop condition combined with every result of a command: each ends as the manual page says,
//! and no message is in two places or in none.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::running::Running;
use rmq_tests::scale::scale;
use rmq_tests::text::numbered;
use rmq_tests::vhost::Vhost;
use rustix::process::Signal;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const COUNT: usize = 6;
const STOPS: [&str; 5] = ["-n", "--drain", "--idle", "--timeout", "SIGTERM"];
const FAILURES: [&str; 3] = ["stop", "requeue", "dead-letter"];

/// One run of the table.
struct Cell {
    stop: &'static str,
    on_failure: &'static str,
    code: i32,
    jobs: &'static str,
    queue: String,
    /// A file in which each run of the command leaves a byte.
    runs: PathBuf,
    running: Running,
}

impl Cell {
    /// Whether the run stops at the first failed message.
    fn stops_at_once(&self) -> bool {
        self.code == 1 && self.on_failure == "stop"
    }

    /// Whether all messages are settled, while it continues.
    fn settles(&self) -> bool {
        self.code == 0 || (self.code == 1 && self.on_failure == "dead-letter")
    }

    /// Whether it has to be asked to stop.
    fn goes_on(&self) -> bool {
        self.stop == "SIGTERM" || (!self.settles() && self.stop != "--timeout")
    }

    fn runs(&self) -> usize {
        fs::read(&self.runs).map_or(0, |bytes| bytes.len())
    }
}

fn start(
    vhost: &Vhost<'_>,
    directory: &Path,
    [stop, on_failure, jobs]: [&'static str; 3],
    code: i32,
) -> Cell {
    let queue = format!("{stop}.{on_failure}.{code}.{jobs}").replace('-', "");
    let dead = format!("{queue}.dlq");
    vhost.declare(&["--dead-letter-exchange", "", "--dead-letter-key", &dead], &queue);
    vhost.declare(&[], &dead);
    vhost.send(&[&queue]).input(numbered(COUNT)).run().expect(0);
    let stopping: &[&str] = match stop {
        "-n" => &["-n", "6"],
        "--drain" => &["--drain"],
        "--idle" => &["--idle", "1s"],
        "--timeout" => &["--timeout", "4s"],
        _ => &[],
    };
    let runs = directory.join(&queue);
    let script = format!("printf x >> '{}'; exit {code}", runs.display());
    let words =
        ["--quiet", "--on-failure", on_failure, "-j", jobs, &queue, "--", "sh", "-c", &script];
    let running = vhost.receive(stopping).arguments(&words).start();
    Cell { stop, on_failure, code, jobs, queue, runs, running }
}

fn table(stop: &'static str) {
    let vhost = Vhost::new(brokers::one());
    let directory = tempfile::tempdir().unwrap();
    let all = FAILURES.iter().flat_map(|on_failure| {
        [0, 1, 75]
            .into_iter()
            .flat_map(move |code| ["1", "8"].map(|jobs| (*on_failure, code, jobs)))
    });
    // Of two cells that differ only in their jobs, the short form has one.
    let kept = all.enumerate().filter(|(at, _)| scale().all_cells || (at / 2 + at) % 2 == 0);
    let cells: Vec<Cell> = kept
        .map(|(_, (on_failure, code, jobs))| {
            start(&vhost, directory.path(), [stop, on_failure, jobs], code)
        })
        .collect();
    for cell in cells {
        let what = format!("{stop} {} {} -j {}", cell.on_failure, cell.code, cell.jobs);
        let (stops, settles, goes_on) = (cell.stops_at_once(), cell.settles(), cell.goes_on());
        if goes_on && !stops {
            let enough = if settles { COUNT } else { 1 };
            rmq_tests::wait::wait_until(Duration::from_secs(30), &what, || cell.runs() >= enough);
            if settles {
                // The last of them is acknowledged or rejected.
                vhost.wait_held(&cell.queue, Held { consumers: 1, ..Held::default() });
            }
            cell.running.signal(Signal::TERM);
        }
        let ended = cell.running.wait();
        if stops {
            ended.expect(75).says("exit status 1; the message is back in the queue");
        } else if goes_on {
            ended.expect_signal(Signal::TERM);
        } else {
            ended.expect(0);
        }
        let dead = if settles && cell.code == 1 { COUNT } else { 0 };
        let left = if settles { 0 } else { COUNT };
        vhost.wait_held(&cell.queue, Held::ready(left));
        vhost.wait_held(&format!("{}.dlq", cell.queue), Held::ready(dead));
    }
}

#[test]
fn n_ends_as_its_page_says_whatever_commands_do() {
    table(STOPS[0]);
}

#[test]
fn drain_ends_as_its_page_says_whatever_commands_do() {
    table(STOPS[1]);
}

#[test]
fn idle_ends_as_its_page_says_whatever_commands_do() {
    table(STOPS[2]);
}

#[test]
fn timeout_ends_as_its_page_says_whatever_commands_do() {
    table(STOPS[3]);
}

#[test]
fn a_signal_ends_it_as_its_page_says_whatever_commands_do() {
    table(STOPS[4]);
}

#[test]
fn what_goes_back_while_more_is_asked_for_than_there_is_keeps_no_run_from_its_end() {
    let vhost = Vhost::filled(brokers::one(), 47);
    let directory = tempfile::tempdir().unwrap();
    let once = directory.path().join("once");
    let script = format!(
        "read -r line; case $line in *:40:*) mkdir {0} 2>/dev/null && exit 75;; esac; \
         printf '%s\\n' \"$line\"",
        once.display()
    );
    let words = ["-n", "66", "--drain", "-j", "3", "q", "--", "sh", "-c", &script];
    let received = vhost.receive(&words).run().expect(1);
    assert!(once.exists());
    assert_eq!(rmq_tests::text::account(&received.stdout).missing(47), []);
    vhost.wait_held("q", Held::ready(0));
}
