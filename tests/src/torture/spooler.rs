//! Keeps an rmq-send with a spool running, and judges each run when it is over.

use crate::tool::Ended;
use crate::torture::feed::Feed;
use crate::torture::flow::Flow;
use crate::torture::sender::give;
use crate::torture::stage::Stage;
use crate::torture::watched::{Order, Orders, Watched};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What was read this long ago is in the spool.
const WRITTEN: Duration = Duration::from_millis(300);

/// Keeps one running until the flow ends and its spool is empty.
pub fn keep_spooling(stage: &Stage<'_>, flow: &Flow, orders: &Orders) {
    while !run(stage, flow, orders) {}
}

/// One run; returns whether it was the last.
fn run(stage: &Stage<'_>, flow: &Flow, orders: &Orders) -> bool {
    let run = flow.ledger().begin();
    let (reader, mut feed) = Feed::new();
    let spool = stage.disk.join("spool");
    let words = ["-v", "--spool", spool.to_str().expect("UTF-8"), flow.queue];
    let running = stage.tool("rmq-send").arguments(&words).input_from_pipe(reader).start();
    let mut watched = Watched::new(running, orders);
    let mut kept = Kept::default();
    give(stage, flow, run, &mut feed, &mut watched, |feed, frozen| {
        kept.look(feed, stage.disk_has_room() && !frozen);
    });
    let asked = watched.asked;
    drop(feed);
    let ended = watched.end();
    flow.ended(orders.name, &ended);
    stage.log(orders.name, &ended);
    if asked == Some(Order::Kill) {
        // If the disk was full, what was read may have been only in memory, and sent from there.
        let whole = !ended.stderr.contains("the input waits");
        flow.ledger().end_killed(run, kept.lines, whole);
    } else {
        judge(flow, run, asked, &ended);
    }
    flow.is_ending() && asked.is_none() && !flow.ledger().has_again()
}

/// How many lines are certainly in the spool, whatever happens to the program that put them there.
#[derive(Debug, Default)]
struct Kept {
    /// How many had been read, and when.
    read: VecDeque<(Instant, usize)>,
    lines: usize,
}

impl Kept {
    /// Notes how many have been read by now. If they cannot be written, only earlier ones are
    /// certain.
    fn look(&mut self, feed: &Feed, writes: bool) {
        if !writes {
            self.read.clear();
            return;
        }
        self.read.push_back((Instant::now(), feed.read()));
        while let Some((_, lines)) = self.read.front().filter(|(when, _)| when.elapsed() > WRITTEN)
        {
            self.lines = *lines;
            self.read.pop_front();
        }
    }
}

/// Checks that what was read is confirmed or in the spool, unless it reports how much is not.
fn judge(flow: &Flow, run: u32, asked: Option<Order>, ended: &Ended) {
    let read = ended.try_tally("read").unwrap_or_default();
    let fed = flow.ledger().fed(run);
    if asked.is_none() && ended.status.code() != Some(0) {
        flow.problem(format!("run {run} ended by itself: {}: {}", ended.status, ended.stderr));
    } else if asked.is_none() && read != fed {
        flow.problem(format!("run {run} was given {fed} lines: {}", ended.stderr));
    }
    let number = |before: &str| {
        let (_, text) = ended.stderr.split_once(before)?;
        text.split(|byte: char| !byte.is_ascii_digit()).next()?.parse::<usize>().ok()
    };
    let lost: usize = ["the last ", "not kept for want of room: "]
        .into_iter()
        .map(|before| number(before).unwrap_or_default())
        .sum();
    let mut ledger = flow.ledger();
    ledger.promise_first(run, read.saturating_sub(lost));
    ledger.end(run, ended.try_tally("resent"));
}
