//! Keeps an rmq-send that follows a log running, kills it repeatedly, and judges each run.

use crate::tool::{Ended, Tool};
use crate::torture::class::{Class, Lane};
use crate::torture::flow::Flow;
use crate::torture::life::Lives;
use crate::torture::log::Log;
use crate::torture::options::Options;
use crate::torture::stage::Stage;
use crate::torture::watched::{Order, Orders, Watched};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

/// The time between two checks.
const TICK: Duration = Duration::from_millis(5);

/// How many runs at the end may report something before one finds nothing more to send.
const LAST_RUNS: usize = 10;

/// The runs of rmq-send that follow a log.
#[derive(Debug)]
struct Shipper<'a> {
    stage: &'a Stage<'a>,
    flow: &'a Flow,
    orders: &'a Orders,
    classes: &'a [Class],
    lives: Lives,
    path: PathBuf,
}

/// Writes a log, and keeps an rmq-send following it, until the flow ends and all is sent.
pub fn keep_shipping(stage: &Stage<'_>, flow: &Flow, orders: &Orders, options: &Options) {
    let mut log = Log::new(stage, flow, options.seed);
    let (classes, lives, path) = (&options.classes[..], Lives::new(options), log.path());
    let mut shipper = Shipper { stage, flow, orders, classes, lives, path };
    thread::scope(|scope| {
        let writing = scope.spawn(move || log.write_until_the_end());
        while !writing.is_finished() {
            shipper.follow(|| writing.is_finished());
        }
    });
    shipper.send_the_rest();
}

impl Shipper<'_> {
    /// An rmq-send that keeps its positions, with the number of its run in each message.
    fn tool(&self, words: &[&str]) -> (u32, Tool) {
        let mut ledger = self.flow.ledger();
        let run = ledger.shipped().map_or(0, |shipped| shipped.begin());
        let header = format!("run:int={run}");
        let positions = self.stage.directory.join("positions");
        let [path, positions] = [&self.path, &positions].map(|path| path.to_str().expect("UTF-8"));
        let tool = self.stage.tool("rmq-send").arguments(words);
        let words = ["-v", "--positions", positions, "-H", &header, self.flow.queue, path];
        (run, tool.arguments(&words))
    }

    /// One run that follows.
    fn follow(&mut self, is_over: impl Fn() -> bool) {
        let life = self.lives.next_life();
        let (run, tool) = self.tool(&["--follow"]);
        let mut watched = Watched::new(tool.start(), self.orders);
        while !watched.look() {
            if watched.asked.is_none()
                && let Some(order) = life.order(is_over())
            {
                watched.ask(order);
            }
            thread::sleep(TICK);
        }
        let asked = watched.asked;
        let ended = watched.end();
        self.note(run, &ended, asked);
        let is_expected = match (asked, ended.status.code()) {
            (None, _) => false,
            (Some(Order::Kill), _) | (_, None) => true,
            (_, Some(code)) => [0, 75].contains(&code),
        };
        if !is_expected {
            self.problem(run, &ended);
        }
    }

    /// Notes how a run has ended, and which duplicates that explains.
    fn note(&self, run: u32, ended: &Ended, asked: Option<Order>) {
        self.flow.ended(self.orders.name, ended);
        self.stage.log(&format!("{} {run}", self.orders.name), ended);
        let (resent, unconfirmed) = if asked == Some(Order::Kill) {
            // If nothing happens to brokers or the network, nothing is sent again.
            let is_calm = self.classes.iter().all(|class| class.row().lane == Lane::Programs);
            (is_calm.then_some(0), None)
        } else {
            // If a file was truncated while some of it was unconfirmed, the position is the one
            // saved before.
            let unconfirmed = ended.try_tally("unknown").filter(|unknown| *unknown == 0);
            (ended.try_tally("resent"), unconfirmed)
        };
        if let Some(shipped) = self.flow.ledger().shipped() {
            shipped.end(run, resent, unconfirmed);
        }
    }

    /// Sends what is left, by runs that end by themselves.
    fn send_the_rest(&self) {
        for _ in 0..LAST_RUNS {
            let (run, tool) = self.tool(&[]);
            let ended = tool.run();
            self.note(run, &ended, None);
            match ended.status.code() {
                Some(0) if ended.stderr.contains("bytes behind 0,") => return,
                // Content that was removed before it was read is reported once.
                Some(74) if ended.stderr.contains("not sent") => {}
                Some(75) => {}
                _ => return self.problem(run, &ended),
            }
        }
        self.flow.problem(format!("{LAST_RUNS} runs, and not all is sent"));
    }

    fn problem(&self, run: u32, ended: &Ended) {
        self.flow.problem(format!("run {run}: {}: {}", ended.status, ended.stderr));
    }
}
