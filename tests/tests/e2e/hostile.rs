//! A broker that follows no rules: whatever it does, and whenever, each tool ends in time, without
//! a panic, with its own messages and an exit status that the manual lists for it.

mod answers;
mod deliveries;
mod stages;

use rmq_tests::hostile::*;
use rmq_tests::tool::{Ended, Tool};
use rustix::process::Signal;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const TOOLS: [&str; 3] = ["rmq-declare", "rmq-send", "rmq-recv"];

/// The broker could not be reached, or the connection was lost with something still to do.
const LOST: &[i32] = &[69, 75];
/// The broker violated the protocol.
const BROKEN: &[i32] = &[70];
/// The broker's message is not accepted.
const REFUSED: &[i32] = &[65];
/// Everything was done already.
const DONE: &[i32] = &[0];

type Script = Box<dyn Fn(&mut Peer) -> io::Result<()> + Send + Sync>;

/// What a broker does to a tool, and how the tool may end.
struct Case {
    tool: &'static str,
    what: String,
    words: &'static [&'static str],
    script: Script,
    allowed: &'static [i32],
}

impl Case {
    fn new(
        tool: &'static str,
        what: &str,
        allowed: &'static [i32],
        script: impl Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Case { tool, what: what.to_owned(), words: &[], script: Box::new(script), allowed }
    }

    fn run(self) -> Result<Ended, String> {
        let Case { tool, what, words, script, allowed } = self;
        let ended = start(tool, words, &Hostile::new(script)).run();
        let code = ended.status.code();
        let lines = || ended.stderr.lines();
        let ours = |line: &str| line.strip_prefix(tool).is_some_and(|line| line.starts_with(": "));
        let is_well = code.is_some_and(|code| allowed.contains(&code))
            && (code == Some(0) || lines().count() > 0)
            && lines().all(ours)
            && !ended.stderr.contains("panicked");
        let Ended { status, stderr, .. } = &ended;
        is_well.then_some(()).ok_or_else(|| {
            format!("{tool}, the broker {what}: {status}, allowed {allowed:?}: {stderr}")
        })?;
        Ok(ended)
    }
}

fn start(tool: &str, words: &[&str], hostile: &Hostile) -> Tool {
    let options = ["--retry", "0", "--url", &hostile.url(), "q"];
    let tool_of_it = Tool::new(tool).arguments(words).arguments(&options);
    if tool == "rmq-send" { tool_of_it.input(*b"one\ntwo\n") } else { tool_of_it }
}

/// Runs many at a time, because most of them mostly wait.
#[track_caller]
fn run(cases: Vec<Case>) {
    let (cases, failed) = (Mutex::new(cases.into_iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| {
                loop {
                    let Some(case) = cases.lock().unwrap().next() else { return };
                    // Before taking the lock, which would make them wait for one another.
                    let failure = case.run().err();
                    failed.lock().unwrap().extend(failure);
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// A tool that may use 150 MB, run with these words against a broker that plays this script.
fn limited(
    tool: &str,
    words: &[&str],
    script: impl Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static,
) -> Ended {
    let hostile = Hostile::new(move |peer| {
        // However long it takes.
        peer.tuning.heartbeat = 60;
        script(peer)
    });
    let binary = rmq_tests::tool::binary(tool);
    let limits = ["--as=2000000000", "--data=150000000", "--", binary.to_str().unwrap()];
    let url = format!("amqp://{}/?heartbeat=60", hostile.address);
    let connecting = ["--retry", "0", "--url", &url];
    let limited = Tool::program("prlimit").arguments(&limits).arguments(&connecting);
    let limited = limited.arguments(words);
    if tool == "rmq-send" { limited.input(*b"one\ntwo\n").run() } else { limited.run() }
}

#[test]
fn a_broker_that_refuses_and_blocks_takes_no_more_of_rmq_sends_time_than_one_that_is_silent() {
    let hostile = Hostile::new(|peer| {
        let asked = peer.until(PUBLISH)?;
        peer.send(&method(asked.channel, NACK, &[&1u64.to_be_bytes(), &[0]]))?;
        peer.send(&method(0, BLOCKED, &[b"\x0dlow on memory"]))?;
        peer.only_beat()
    });
    let mut sending = start("rmq-send", &[], &hostile).open_input().start();
    sending.write(b"one\n");
    let ended = sending.wait().expect(75).says("q nacks: it is full, its max-length-bytes is smaller than the message, or it has no leader");
    // The request for another channel is never even written; elsewhere it has 40 s.
    assert!(ended.took < Duration::from_secs(15), "{:?}", ended.took);
}

#[test]
fn whatever_limits_a_broker_proposes_the_work_is_done() {
    let mut cases = Vec::new();
    let all = [(0, 0, 0), (1, 1, 65535), (1, 8, 1), (2, 4096, 1), (65535, u32::MAX, 1)];
    for (channel_max, frame_max, heartbeat) in all {
        let tuning = Tuning { channel_max, frame_max, heartbeat };
        for tool in TOOLS {
            let mut case = Case::new(tool, &format!("proposes {tuning:?}"), DONE, move |peer| {
                peer.tuning = tuning;
                let asked = peer.until(if tool == "rmq-recv" { CONSUME } else { CLOSE })?;
                peer.answer(asked)?;
                if asked.method == CONSUME {
                    peer.send(&delivery(asked.channel, "tag", 1, &[0, 0], b"hello"))?;
                }
                peer.behave()
            });
            case.words = if tool == "rmq-recv" { &["-n", "1"] } else { &[] };
            cases.push(case);
        }
    }
    run(cases);
}

/// A signal comes while a request of this tool, run with these words, is not answered.
fn unanswered(tool: &str, words: &[&str], method: Method) {
    let hostile = Hostile::new(move |peer| {
        peer.until(method)?;
        peer.only_beat()
    });
    let url = hostile.url();
    let tool_of_it = Tool::new(tool).arguments(words).arguments(&["--url", &url, "q"]);
    let mut running = tool_of_it.open_input().start();
    running.feed(b"one\n");
    rmq_tests::wait::wait_until(Duration::from_secs(20), "a question", || {
        hostile.asked(method) > 0
    });
    running.signal(Signal::TERM);
    let ended = running.wait();
    let (status, took) = (ended.status, ended.took);
    assert!(!status.success() && !ended.stderr.contains("panicked"), "{}", ended.stderr);
    // Less than the broker is given to answer.
    assert!(took < Duration::from_secs(30), "{tool} at {method:?}: {took:?}: {}", ended.stderr);
}

#[test]
fn a_signal_ends_a_tool_whose_question_nobody_answers() {
    std::thread::scope(|scope| {
        for tool in TOOLS {
            let last = match tool {
                "rmq-declare" => vec![QUEUE_DECLARE],
                "rmq-send" => vec![CONFIRM_SELECT, PUBLISH],
                _ => vec![QOS, CONSUME],
            };
            for method in [START_OK, OPEN, CHANNEL_OPEN].into_iter().chain(last) {
                scope.spawn(move || unanswered(tool, &[], method));
            }
        }
        scope.spawn(|| unanswered("rmq-recv", &["--peek", "1"], CHANNEL_OPEN));
    });
}

/// A whole machine may be suspended, and then everything comes at once: a publish after the end of
/// a connection does not learn why it ended.
#[test]
fn a_broken_protocol_is_told_by_a_tool_that_stood_still_meanwhile() {
    let stand_still = || {
        let hostile = Hostile::new(|peer| {
            // Being suspended must not be what ends the connection.
            peer.tuning.heartbeat = 60;
            peer.until(QUEUE_DECLARE)?;
            std::thread::sleep(Duration::from_millis(500));
            peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")?;
            peer.fall_silent()
        });
        let url = format!("amqp://{}?heartbeat=60", hostile.address);
        let words = ["--retry", "0", "--url", &url, "q"];
        let running = Tool::new("rmq-send").arguments(&words).input(*b"one\ntwo\n").start();
        rmq_tests::wait::wait_until(Duration::from_secs(20), "a look at the queue", || {
            hostile.asked(QUEUE_DECLARE) > 0
        });
        running.signal(Signal::STOP);
        // Longer than rmq-send waits for an answer before it publishes.
        std::thread::sleep(Duration::from_millis(2500));
        running.signal(Signal::CONT);
        let ended = running.wait();
        assert_eq!(ended.status.code(), Some(70), "{}", ended.stderr);
    };
    std::thread::scope(|scope| {
        for _ in 0..30 {
            scope.spawn(stand_still);
        }
    });
}

#[test]
fn a_broker_that_allows_one_channel_is_enough_to_send() {
    let hostile = Hostile::new(|peer| {
        peer.tuning.channel_max = 1;
        let asked = peer.until(PUBLISH)?;
        // It is sent again on a new channel, which has to wait for the end of the old one.
        peer.send(&method(asked.channel, NACK, &[&1u64.to_be_bytes(), &[0]]))?;
        peer.behave()
    });
    let words = ["--retry", "10s", "--url", &hostile.url()];
    let send = || Tool::new("rmq-send").arguments(&words);
    let sent = send().arguments(&["q"]).input("one\n").run().expect(0);
    assert!(!sent.stderr.contains("lost the connection"), "{}", sent.stderr);
    let records = "{\"exchange\":\"a\",\"body\":\"1\"}\n{\"exchange\":\"b\",\"body\":\"2\"}\n";
    send().arguments(&["--routed", "--format", "json"]).input(records).run().expect(0);
}
