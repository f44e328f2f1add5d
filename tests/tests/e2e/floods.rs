//! A broker that sends one thing without end: nothing of it is kept, and the tool ends as its page
//! says if that violates the protocol.

use rmq_tests::hostile::*;
use rmq_tests::tool::Tool;
use std::fs;
use std::time::Duration;

/// The size of a flood in bytes, and the most memory in KiB that a tool may take meanwhile: for
/// small frames, which must not be kept, and for large tables, of which some may wait.
const SMALL: (usize, usize) = (3 << 20, 36 << 10);
const LARGE: (usize, usize) = (48 << 20, 200 << 10);
/// How a run may end: it was done, or the broker refuses, is given up, or violates the protocol.
const ENDS: [i32; 5] = [0, 65, 69, 70, 75];

/// The peak memory of a process, in KiB; `None` if it has ended.
fn peak(pid: u32) -> Option<usize> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    // A child that is not running the tool yet still has this process's memory (vfork(2)).
    if !status.starts_with("Name:\trmq-") {
        return None;
    }
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// A table that fills a frame, with fields of type void.
fn table(size: usize) -> Vec<u8> {
    let fields = (0..size / 7).map(|number| format!("\x05{number:05}V").into_bytes());
    let fields = fields.collect::<Vec<_>>().concat();
    [&u32::try_from(fields.len()).unwrap().to_be_bytes(), &fields[..]].concat()
}

/// A content header that contains only a table of headers.
fn header(size: usize) -> Vec<u8> {
    let fixed = [&[0, 60, 0, 0][..], &[0; 8], &[0x20, 0]].concat();
    frame(2, 1, &[&fixed, &table(size)[..]].concat())
}

/// What is sent repeatedly, by name.
fn floods() -> Vec<(&'static str, Vec<u8>)> {
    let blocked = method(0, BLOCKED, &[b"\x0dlow on memory"]);
    let unblocked = method(0, (10, 61), &[]);
    let delivered = method(1, DELIVER, &[b"\x03tag", &[0; 8], &[0, 0], b"\x01q"]);
    let returned = method(1, RETURN, &[&[1, 56], b"\x08NO_ROUTE", b"\0\x01q"]);
    vec![
        ("heartbeats", frame(8, 0, b"")),
        ("heartbeats on a channel", frame(8, 1, b"")),
        ("channel.close", close(1, 404, "NOT_FOUND - no queue 'q'")),
        ("channel.close of no channel", close(9, 404, "NOT_FOUND - no queue 'q'")),
        ("channel.close-ok", method(1, CHANNEL_CLOSE_OK, &[])),
        ("channel.open-ok", method(1, CHANNEL_OPEN_OK, &[&[0; 4]])),
        ("channel.flow", method(1, (20, 20), &[&[1]])),
        ("connection.blocked and unblocked", [blocked, unblocked].concat()),
        ("connection.update-secret", method(0, (10, 70), &[&[0, 0, 0, 1], b"x", b"\x01r"])),
        ("connection.tune", method(0, TUNE, &[&[0, 9], &[0, 2, 0, 0], &[0, 60]])),
        ("frames of no kind", frame(9, 1, b"what?")),
        ("methods of no class", method(1, (99, 99), &[b"what?"])),
        ("queue.declare-ok", method(1, QUEUE_DECLARE_OK, &[b"\x01q", &[0; 8]])),
        ("basic.ack", method(1, ACK, &[&1u64.to_be_bytes(), &[0]])),
        ("basic.nack", method(1, NACK, &[&1u64.to_be_bytes(), &[0]])),
        ("basic.cancel", method(1, CANCEL, &[b"\x03tag", &[1]])),
        ("basic.cancel to be answered", method(1, CANCEL, &[b"\x05other", &[0]])),
        ("basic.cancel of no consumer", method(1, CANCEL, &[b"\x05other", &[1]])),
        ("basic.recover-ok", method(1, (60, 111), &[])),
        ("bodies of nothing", frame(3, 1, &[b'x'; 1000])),
        ("headers of nothing", header(60_000)),
        ("deliveries with large tables", [delivered, header(120_000)].concat()),
        ("returns with large tables", [returned, header(120_000)].concat()),
        ("connection.start with a large table", start(&table(60_000)[4..])),
    ]
}

/// Runs a tool against a flood that begins after `stage`; checks its memory and how it ended.
fn drowned(tool: &str, stage: Method, what: &str, flood: &[u8]) -> Result<(), String> {
    let (total, allowed) = if flood.len() > 2000 { LARGE } else { SMALL };
    let many = flood.repeat((1 << 20) / flood.len() + 1);
    let hostile = Hostile::new(move |peer| {
        peer.tuning.heartbeat = 60;
        let asked = peer.until(stage)?;
        peer.answer(asked)?;
        for _ in 0..total / many.len() {
            peer.send(&many)?;
        }
        peer.send(&close(0, 320, "CONNECTION_FORCED - enough"))?;
        peer.fall_silent()
    });
    let url = format!("amqp://{}/?heartbeat=60", hostile.address);
    let words = ["--quiet", "--retry", "0", "--url", &url, "q"];
    let tool_of_it = Tool::new(tool).arguments(&words);
    let mut running = match tool {
        "rmq-send" => tool_of_it.input("one\n").start(),
        // 32 MB may wait.
        "rmq-recv" => tool_of_it.arguments(&["--prefetch-bytes", "16M"]).start(),
        _ => tool_of_it.start(),
    };
    let (pid, mut most) = (running.pid(), 0);
    while running.is_running() {
        most = most.max(peak(pid).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    let ended = running.wait();
    let is_well = ended.status.code().is_some_and(|code| ENDS.contains(&code))
        && most < allowed
        && !ended.stderr.contains("panicked");
    let problem = || format!("{tool}, {what}: {most} KiB, {}: {}", ended.status, ended.stderr);
    eprintln!("{}", problem());
    if is_well { Ok(()) } else { Err(problem()) }
}

#[test]
fn nothing_of_what_a_broker_sends_without_end_is_kept() {
    let failed = std::sync::Mutex::new(Vec::new());
    let cases = std::sync::Mutex::new(
        [("rmq-send", PUBLISH), ("rmq-recv", CONSUME), ("rmq-declare", CHANNEL_OPEN)]
            .into_iter()
            .flat_map(|case| floods().into_iter().map(move |flood| (case, flood)))
            .collect::<Vec<_>>(),
    );
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let Some(((tool, stage), (what, flood))) = cases.lock().unwrap().pop() else {
                        return;
                    };
                    let ended = drowned(tool, stage, what, &flood);
                    failed.lock().unwrap().extend(ended.err());
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
