//! The heart of rmq-send: records in, confirms awaited, everything unconfirmed sent again.

use crate::input::{End, Input, Reader};
use crate::lines::Record;
use crate::link::{Link, News};
use crate::outstanding::Outstanding;
use crate::ranges::Ranges;
use crate::tally::Tally;
use crate::verdict::Verdict;
use crate::watch::Watch;
use lapin::types::ShortString;
use rmq_common::connection::Broker;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::duration::Limit;
use rmq_common::failure::Failure;
use rmq_common::retry::{Backoff, Patience};
use rmq_common::runtime::{first, sleep_until};
use std::collections::VecDeque;
use std::future::pending;
use std::time::{Duration, Instant};

/// How long a broker that is there may take to confirm, however short `--retry` is.
const SHORTEST_PATIENCE: Duration = Duration::from_secs(15);
/// How long a signal leaves for the last confirms.
pub(crate) const LAST_CONFIRMS: Duration = Duration::from_secs(10);

/// Everything a run holds.
pub struct Sender {
    pub(crate) broker: Broker,
    pub(crate) queue: ShortString,
    pub(crate) link: Option<Link>,
    pub(crate) reader: Reader,
    /// Records read that have not entered the window.
    pub(crate) read: VecDeque<Record>,
    pub(crate) input_over: bool,
    pub(crate) window: Outstanding,
    pub(crate) confirmed: Ranges,
    pub(crate) tally: Tally,
    pub(crate) signals: flume::Receiver<i32>,
    pub(crate) patience: Patience,
    pub(crate) backoff: Backoff,
    /// After a nack nothing is sent before then, and not on the channel that nacked.
    pub(crate) pause: Option<Instant>,
    pub(crate) watch: Watch,
    /// A signal came: confirms are awaited until then.
    pub(crate) deadline: Option<Instant>,
    pub(crate) verdict: Verdict,
    pub(crate) diagnostics: Diagnostics,
}

/// What happened next.
enum Step {
    News(News),
    Input(Input),
    Signal(i32),
    Time,
}

impl Sender {
    /// Sends what `reader` reads over `link` to `queue`.
    pub fn new(
        window: usize,
        retry: Limit,
        broker: Broker,
        queue: ShortString,
        link: Link,
        reader: Reader,
        signals: flume::Receiver<i32>,
    ) -> Self {
        Sender {
            diagnostics: broker.diagnostics(),
            broker,
            queue,
            link: Some(link),
            reader,
            read: VecDeque::new(),
            input_over: false,
            window: Outstanding::new(window),
            confirmed: Ranges::default(),
            tally: Tally::default(),
            signals,
            patience: Patience::new(retry),
            backoff: Backoff::default(),
            pause: None,
            watch: Watch::default(),
            deadline: None,
            verdict: Verdict::default(),
        }
    }

    /// Runs until everything that was read is confirmed, or it cannot be.
    pub async fn run(mut self) -> (Verdict, Tally) {
        loop {
            self.renew_after_nack().await;
            self.publish();
            if self.is_done() {
                break;
            }
            match self.step().await {
                Step::News(news) => self.news(news).await,
                Step::Input(input) => self.input(input),
                Step::Signal(signal) => self.signal(signal),
                Step::Time => self.give_up_on_a_stalled_link().await,
            }
            self.give_up_in_time();
        }
        self.finish().await
    }

    /// Nothing more will come, and nothing more is awaited.
    fn is_done(&self) -> bool {
        let settled = if self.verdict.is_failure() {
            self.window.nothing_sent()
        } else {
            self.input_over && self.window.is_empty() && self.read.is_empty()
        };
        self.verdict.has_given_up() || settled
    }

    /// Publishes whatever may be published now.
    fn publish(&mut self) {
        while self.window.has_room() {
            let Some(record) = self.read.pop_front() else { break };
            if self.window.is_empty() {
                // Time without anything to confirm is no time without progress.
                self.patience.progress();
            }
            self.window.push(record);
        }
        let Some(link) = &mut self.link else { return };
        if self.pause.is_some() || self.verdict.has_given_up() {
            return;
        }
        while let Some(due) = self.window.due(self.verdict.is_failure()) {
            self.tally.resent += u64::from(due.again);
            self.watch.sent();
            link.publisher().publish(due.record);
        }
    }

    /// Waits for the next thing to happen. Safe to drop at any point.
    async fn step(&mut self) -> Step {
        let time = self.next_time();
        let wants_input = !self.input_over && self.read.is_empty() && self.window.has_room();
        let Sender { link, reader, signals, .. } = self;
        let news = async {
            match link {
                Some(link) => Step::News(link.news().await),
                None => pending().await,
            }
        };
        let input =
            async { if wants_input { Step::Input(reader.next().await) } else { pending().await } };
        let signal = async {
            match signals.recv_async().await {
                Ok(signal) => Step::Signal(signal),
                Err(_) => pending().await,
            }
        };
        let time = async {
            sleep_until(time).await;
            Step::Time
        };
        first(first(signal, news), first(input, time)).await
    }

    /// When something has to be looked at even if nothing happens.
    fn next_time(&self) -> Option<Instant> {
        let patience = self.confirm_due().filter(|_| !self.window.is_empty());
        let pause = self.pause.filter(|_| self.window.in_flight() == 0);
        let stall = self.watch.stalls_at().filter(|_| self.link.is_some());
        [pause, stall, self.deadline, patience].into_iter().flatten().min()
    }

    /// By when something must be confirmed. `--retry 0` gives up at once on a broker that cannot be
    /// reached, but a broker that is there has a right to the time it takes.
    fn confirm_due(&self) -> Option<Instant> {
        let left = self.patience.left()?;
        let floor = SHORTEST_PATIENCE.saturating_sub(self.patience.elapsed());
        Some(Instant::now() + left.max(floor))
    }

    fn input(&mut self, input: Input) {
        match input {
            Input::Records(records) => {
                self.tally.read += records.len() as u64;
                self.read.extend(records);
            }
            Input::End(end) => {
                self.input_over = true;
                match end {
                    End::Finished | End::Stopped { partial: 0 } => {}
                    End::Stopped { partial } => self.verdict.partial(partial),
                    End::Failed(failure) => self.fail(failure),
                }
            }
        }
    }

    /// The first signal: no more is read, what was read is sent and confirmed. The second: at once.
    pub(crate) fn signal(&mut self, signal: i32) {
        if self.deadline.is_some() {
            self.give_up_for_the_signal();
            return;
        }
        self.verdict.signalled(signal);
        self.deadline = Some(Instant::now() + LAST_CONFIRMS);
        self.reader.stop();
    }

    /// A record failed for good: no more is read, what was sent is waited for.
    pub(crate) fn fail_record(&mut self, number: u64, failure: Failure) {
        self.verdict.fail_record(number, failure);
        self.reader.stop();
    }

    /// The same where it is no record's fault.
    pub(crate) fn fail(&mut self, failure: Failure) {
        self.verdict.fail(failure);
        self.reader.stop();
    }

    pub(crate) fn give_up(&mut self, failure: Failure) {
        self.verdict.give_up(failure);
        self.reader.stop();
    }

    pub(crate) fn give_up_for_the_signal(&mut self) {
        self.give_up(Failure::new(
            rmq_common::exit::Exit::TempFail,
            "stopped by a signal before everything was confirmed",
        ));
    }

    fn give_up_in_time(&mut self) {
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            self.give_up_for_the_signal();
        } else if !self.window.is_empty()
            && self.confirm_due().is_some_and(|due| Instant::now() >= due)
        {
            let seconds = self.patience.elapsed().as_secs();
            let text = format!("no confirm for {seconds} s (--retry)");
            self.give_up(Failure::new(rmq_common::exit::Exit::TempFail, text));
        }
    }

    /// Closes, and takes stock of what was not confirmed.
    async fn finish(mut self) -> (Verdict, Tally) {
        // The reader was told to stop, or is over: this ends, and finds what it had read already.
        while !self.input_over {
            let input = self.reader.next().await;
            self.input(input);
        }
        let unknown: Vec<u64> = self.window.unknown().collect();
        self.tally.unknown = unknown.len() as u64;
        let read = self.read.iter().map(|record| record.number);
        let unsent = self.window.unsent().chain(read).collect();
        self.verdict.take_stock(self.confirmed, unknown.into_iter().collect(), unsent);
        match self.link {
            // It would not write its close either.
            Some(link) if self.watch.is_blocked() => link.cut(),
            Some(link) => link.close().await,
            None => {}
        }
        (self.verdict, self.tally)
    }
}
