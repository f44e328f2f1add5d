//! Keeps an rmq-send running, gives it lines one by one, and judges each run when it is over.

use crate::text::lines;
use crate::tool::Ended;
use crate::torture::feed::Feed;
use crate::torture::flow::Flow;
use crate::torture::line::Line;
use crate::torture::stage::Stage;
use crate::torture::watched::{Order, Orders, Watched};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::ChildStdout;
use std::thread;
use std::time::{Duration, Instant};

/// The time between two checks.
const TICK: Duration = Duration::from_millis(5);

/// How much may wait for a full pipe.
const WAITING: usize = 200;

/// Keeps one running until the flow ends and everything is confirmed.
pub fn keep_sending(stage: &Stage<'_>, flow: &Flow, orders: &Orders) {
    while !run(stage, flow, orders) {}
}

/// One run; returns whether it was the last.
fn run(stage: &Stage<'_>, flow: &Flow, orders: &Orders) -> bool {
    let run = flow.ledger().begin();
    let rejects = stage.directory.join(format!("rejects-{}-{run}", flow.name));
    let (reader, mut feed) = Feed::new();
    let words = ["-v", "--tee", "--rejects", rejects.to_str().expect("UTF-8"), flow.queue];
    let sending = stage.tool("rmq-send").arguments(&words);
    let mut running = sending.input_from_pipe(reader).output_to_pipe().start();
    let output = running.take_output();
    let mut watched = Watched::new(running, orders);
    let (asked, ended, confirmed) = thread::scope(|scope| {
        let confirming = scope.spawn(move || confirm(flow, output));
        give(stage, flow, run, &mut feed, &mut watched, |_, _| {});
        let asked = watched.asked;
        drop(feed);
        (asked, watched.end(), confirming.join().expect("reading what is confirmed"))
    });
    flow.ended(orders.name, &ended);
    stage.log(orders.name, &ended);
    judge(flow, run, asked, &ended, confirmed, &rejects);
    // If nothing was rejected, there may be no file.
    let _ = std::fs::remove_file(rejects);
    flow.is_ending() && asked.is_none() && !flow.ledger().has_again()
}

/// Gives lines to a run until it ends: at the pace of the torture and, once the flow is ending,
/// only those that another run has left. `look` is called with the feed and whether the program is
/// frozen.
pub fn give(
    stage: &Stage<'_>,
    flow: &Flow,
    run: u32,
    feed: &mut Feed,
    watched: &mut Watched<'_>,
    mut look: impl FnMut(&Feed, bool),
) {
    let mut due = 0.0;
    let mut last = Instant::now();
    loop {
        if watched.look() {
            return;
        }
        look(feed, watched.is_frozen());
        due += last.elapsed().as_secs_f64() * stage.rate;
        last = Instant::now();
        let new = !flow.is_ending();
        for _ in 0..(due as usize).min(WAITING) {
            if !feed.is_written() {
                break;
            }
            let Some(line) = flow.ledger().feed(run, new) else { break };
            feed.offer(&line.text());
            feed.pump();
        }
        // Lines that could not be given in time are not made up for.
        due = due.fract();
        feed.pump();
        if !new && feed.is_written() && !flow.ledger().has_again() {
            feed.close();
        }
        thread::sleep(TICK);
    }
}

/// Reads the output of `--tee`, all of which is promised, to its end; returns the number of lines.
fn confirm(flow: &Flow, output: ChildStdout) -> usize {
    let (mut confirmed, mut text) = (0, Vec::new());
    let mut output = BufReader::new(output);
    while output.read_until(b'\n', &mut text).is_ok_and(|length| length > 0) {
        let line = text.strip_suffix(b"\n").and_then(Line::read);
        match line {
            Some(line) => {
                flow.ledger().promise(line.number);
                confirmed += 1;
            }
            // One that is killed may have written part of it.
            None if !text.ends_with(b"\n") => {}
            None => flow.problem(format!("--tee wrote {:?}", String::from_utf8_lossy(&text))),
        }
        text.clear();
    }
    confirmed
}

/// Checks that what was read is confirmed or in the rejects, and that the tally agrees.
fn judge(
    flow: &Flow,
    run: u32,
    asked: Option<Order>,
    ended: &Ended,
    confirmed: usize,
    rejects: &Path,
) {
    let resent = ended.try_tally("resent");
    if asked != Some(Order::Kill) {
        let told = |name| ended.try_tally(name).unwrap_or_default();
        let read = told("read");
        let left = flow.ledger().unpromised(run, read);
        let text = std::fs::read(rejects).unwrap_or_default();
        let rejected: BTreeSet<u32> =
            lines(&text).into_iter().filter_map(|line| Some(Line::read(line)?.number)).collect();
        let wrong = if asked.is_none() && ended.status.code() != Some(0) {
            Some("it ended by itself".to_owned())
        } else if asked.is_none() && read != flow.ledger().fed(run) {
            Some(format!("it was given {} lines", flow.ledger().fed(run)))
        } else if confirmed != told("confirmed") {
            Some(format!("{confirmed} came through --tee"))
        } else if left != rejected {
            Some(format!("not confirmed: {left:?}; rejected: {rejected:?}"))
        } else {
            None
        };
        if let Some(wrong) = wrong {
            flow.problem(format!("run {run}: {wrong}; {}: {}", ended.status, ended.stderr));
        }
    }
    flow.ledger().end(run, resent);
}
