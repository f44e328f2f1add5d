//! The heart of rmq-send: records in, confirms awaited, everything unconfirmed sent again.

use crate::acknowledge::Acknowledger;
use crate::exchanges::Exchanges;
use crate::input::{End, Input, Reader};
use crate::link::{Link, News};
use crate::outstanding::{Fate, Outstanding};
use crate::positions::Positions;
use crate::ranges::Ranges;
use crate::record::{Bad, Item, Raw, Route};
use crate::rejects::Rejects;
use crate::spooled::Spooled;
use crate::spooling::Over;
use crate::tally::Tally;
use crate::tee::Tee;
use crate::verdict::Verdict;
use crate::watch::Watch;
use crate::wire_size;
use rmq_common::connection::Broker;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::duration::Limit;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::progress::Progress;
use rmq_common::retry::{Backoff, Patience};
use rmq_common::runtime::{first, sleep_until};
use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a broker that is there may take to confirm, however short `--retry` is.
const SHORTEST_PATIENCE: Duration = Duration::from_secs(15);
/// How long a signal leaves for the last confirms.
pub(crate) const LAST_CONFIRMS: Duration = Duration::from_secs(10);

/// What a run is to do.
pub struct Job {
    /// Messages that may be unconfirmed at once.
    pub window: usize,
    /// How long to go on without a confirm.
    pub retry: Limit,
    /// Where all messages go, if they go the same way.
    pub fixed: Option<Arc<Route>>,
    /// The queue or exchange of this run's own records, if there is one for all.
    pub look_at: Option<Arc<Route>>,
    /// Whether what no queue takes is a failure.
    pub mandatory: bool,
    /// The input ends by itself, and can be read to its end even when nothing can be sent.
    pub finite: bool,
    /// What records are called.
    pub positions: Positions,
    /// Where records go that cannot be sent.
    pub rejects: Option<Rejects>,
    /// Where records are until they are confirmed.
    pub spooled: Option<Spooled>,
    /// Where confirmed records go.
    pub tee: Option<Tee>,
    /// Who is told of them.
    pub acknowledger: Option<Acknowledger>,
    /// Shows how far it is.
    pub progress: Progress,
}

/// Everything a run holds.
pub struct Sender {
    pub(crate) job: Job,
    pub(crate) broker: Broker,
    pub(crate) link: Option<Link>,
    pub(crate) exchanges: Exchanges,
    pub(crate) reader: Reader,
    /// What was read and has not entered the window.
    pub(crate) read: VecDeque<Item>,
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
    /// A record is lost to this run, so that nothing behind it is told as done.
    pub(crate) silenced: bool,
    pub(crate) diagnostics: Diagnostics,
}

/// Why the next record cannot be published yet.
enum Halt {
    /// Nobody has looked whether the exchange it goes to is there.
    Exchange(u64, Arc<Route>),
    /// Its headers take so many bytes, which is too many.
    Headers(u64, usize),
}

/// What happened next.
enum Step {
    News(News),
    Input(Input),
    Signal(i32),
    Spooled(Over),
    Time,
}

impl Sender {
    /// Sends what `reader` reads over `link`, or over one that is made when a broker is there.
    pub fn new(
        job: Job,
        broker: Broker,
        link: Option<Link>,
        reader: Reader,
        signals: flume::Receiver<i32>,
    ) -> Self {
        Sender {
            diagnostics: broker.diagnostics(),
            broker,
            link,
            exchanges: Exchanges::new(job.fixed.as_deref()),
            reader,
            read: VecDeque::new(),
            input_over: false,
            window: Outstanding::new(job.window),
            confirmed: Ranges::default(),
            tally: Tally::default(),
            signals,
            // With a spool nothing is given up while there is input.
            patience: Patience::new(match job.spooled {
                Some(_) => Limit::Forever,
                None => job.retry,
            }),
            backoff: Backoff::default(),
            pause: None,
            watch: Watch::default(),
            deadline: None,
            verdict: Verdict::default(),
            silenced: false,
            job,
        }
    }

    /// Runs until everything that was read is confirmed, or it cannot be.
    pub async fn run(mut self) -> (Verdict, Tally) {
        if self.link.is_none() {
            self.connect_at_first().await;
        }
        loop {
            self.renew_after_nack().await;
            let halt = self.publish();
            self.leave();
            match halt {
                None => {}
                Some(Halt::Exchange(number, route)) => {
                    self.look(number, &route).await;
                    continue;
                }
                Some(Halt::Headers(number, size)) => {
                    let why = format!("its headers take {size} bytes, more than a frame holds");
                    self.fail_record(number, Failure::data(why));
                    continue;
                }
            }
            if self.is_done() {
                break;
            }
            match self.step().await {
                Step::News(news) => self.news(news).await,
                Step::Input(input) => self.input(input),
                Step::Signal(signal) => self.signal(signal),
                Step::Spooled(over) => self.spooled(over),
                Step::Time => self.give_up_on_a_stalled_link().await,
            }
            self.leave();
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

    /// Publishes whatever may be published now, up to a record that needs something else first.
    fn publish(&mut self) -> Option<Halt> {
        while self.has_room() {
            let Some(item) = self.read.pop_front() else { break };
            if self.window.is_empty() {
                // Time without anything to confirm is no time without progress.
                self.patience.progress();
            }
            match item {
                Item::Record(record) => self.window.push(record),
                Item::Bad(bad) => self.bad(bad),
                Item::Rest { bytes, more } => self.rest(&bytes, more),
            }
        }
        if self.pause.is_some() || self.verdict.has_given_up() {
            return None;
        }
        let link = self.link.as_mut()?;
        let frame_max = link.frame_max();
        while let Some(due) = self.window.due(self.verdict.is_failure()) {
            let route = &due.message.route;
            if !self.exchanges.is_known(&route.exchange) {
                return Some(Halt::Exchange(due.number, route.clone()));
            }
            if let Err(size) = wire_size::fits(&due.message.properties, frame_max) {
                return Some(Halt::Headers(due.number, size));
            }
            self.tally.resent += u64::from(due.again);
            self.watch.sent();
            self.window.sent(due.number);
            link.publisher().publish(due.number, due.message);
        }
        None
    }

    /// Whether one more record may be taken on.
    fn has_room(&self) -> bool {
        self.window.has_room() && self.job.tee.as_ref().is_none_or(Tee::has_room)
    }

    /// Waits for the next thing to happen. Safe to drop at any point.
    async fn step(&mut self) -> Step {
        let time = self.next_time();
        let has_room = self.has_room();
        let wants_input = !self.input_over && self.read.is_empty() && has_room;
        let Sender { link, reader, signals, job, .. } = self;
        let tee = &mut job.tee;
        let spooled = job.spooled.as_ref().filter(|spooled| !spooled.is_over);
        let spooled = async {
            match spooled.map(|spooled| spooled.over.recv_async()) {
                Some(over) => Step::Spooled(over.await.unwrap_or_default()),
                None => pending().await,
            }
        };
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
            match tee {
                Some(tee) if !has_room => {
                    first(async { tee.moved().await }, sleep_until(time)).await;
                }
                _ => sleep_until(time).await,
            }
            Step::Time
        };
        first(first(signal, news), first(first(input, spooled), time)).await
    }

    /// When something has to be looked at even if nothing happens.
    fn next_time(&self) -> Option<Instant> {
        let patience = self.confirm_due().filter(|_| !self.window.is_empty());
        let pause = self.pause.filter(|_| self.window.in_flight() == 0);
        let stall = self.watch.stalls_at().filter(|_| self.link.is_some());
        [pause, stall, self.deadline, patience, self.job.progress.due()].into_iter().flatten().min()
    }

    /// By when something must be confirmed. `--retry 0` gives up at once on a broker that cannot be
    /// reached, but a broker that is there has a right to the time it takes.
    fn confirm_due(&self) -> Option<Instant> {
        let left = self.patience.left()?;
        let floor = SHORTEST_PATIENCE.saturating_sub(self.patience.elapsed());
        Some(Instant::now() + left.max(floor))
    }

    pub(crate) fn input(&mut self, input: Input) {
        match input {
            Input::Items(items) => {
                let records = items.iter().filter(|item| !matches!(item, Item::Rest { .. }));
                // What comes out of the spool was read by its own thread, or by an earlier run.
                if self.job.spooled.is_none() {
                    self.tally.read += records.count() as u64;
                }
                self.read.extend(items);
            }
            Input::End(end) => {
                self.input_over = true;
                match end {
                    End::Finished | End::Stopped { partial: 0 } => {}
                    End::Stopped { partial } => self.verdict.partial(partial),
                    End::Failed(failure) => self.verdict.fail_input(failure),
                }
            }
        }
    }

    /// A record cannot be sent: its place in the window is taken by what becomes of it.
    fn bad(&mut self, bad: Bad) {
        let Bad { number, raw, why } = bad;
        let why = why.context(self.job.positions.of(number));
        let kept = match (&mut self.job.spooled, &raw) {
            (Some(spooled), Raw::Whole(raw)) => Some(spooled.rejected.append(raw)),
            _ => self.job.rejects.as_mut().map(|rejects| rejects.bad(&raw)),
        };
        let fate = match kept.map(|kept| self.rejected(number, why.clone(), kept)) {
            Some(Ok(fate)) => fate,
            // No more is read; what was read is sent.
            lost => {
                self.verdict.fail_input(lost.and_then(Result::err).unwrap_or(why));
                self.reader.stop();
                Fate::Failed
            }
        };
        self.window.push_bad(number, fate);
    }

    fn rest(&mut self, bytes: &[u8], more: bool) {
        let kept = self.job.rejects.as_mut().map(|rejects| rejects.rest(bytes, more));
        if let Some(Err(failure)) = kept {
            self.fail(failure);
        }
    }

    /// A record failed for good. Without `--rejects` no more is read, and what was sent is waited
    /// for.
    pub(crate) fn fail_record(&mut self, number: u64, failure: Failure) {
        let why = failure.context(self.job.positions.of(number));
        let Job { spooled, rejects, .. } = &mut self.job;
        let kept = match (spooled, rejects, self.window.record(number)) {
            (Some(spooled), _, Some(record)) => Some(spooled.rejected.append(&record.raw)),
            (None, Some(rejects), Some(record)) => Some(rejects.record(&record.raw)),
            _ => None,
        };
        let fate = match kept.map(|kept| self.rejected(number, why.clone(), kept)) {
            Some(Ok(fate)) => fate,
            lost => {
                self.verdict.fail_record(number, lost.and_then(Result::err).unwrap_or(why));
                self.reader.stop();
                Fate::Failed
            }
        };
        self.window.settle(number, fate);
    }

    /// What becomes of a record that `--rejects` was to keep; or what fails now.
    fn rejected(
        &mut self,
        number: u64,
        why: Failure,
        kept: Result<(), Failure>,
    ) -> Result<Fate, Failure> {
        if let Err(lost) = kept {
            return Err(Failure::new(lost.exit(), format!("{why}; and {lost}")));
        }
        self.tally.rejected += 1;
        self.verdict.rejections().add(number, why, self.diagnostics);
        Ok(Fate::Rejected)
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
        if let Some(spooled) = &self.job.spooled {
            spooled.done.stop_writer();
        }
    }

    /// It failed for good, where it is no record's fault.
    pub(crate) fn fail(&mut self, failure: Failure) {
        self.verdict.fail(failure);
        self.reader.stop();
    }

    pub(crate) fn give_up(&mut self, failure: Failure) {
        self.verdict.give_up(failure);
        // With --rejects the rest of a file is kept as well, so that a run over the rejects
        // finishes the job.
        if self.job.rejects.is_none() || !self.job.finite {
            self.reader.stop();
        }
    }

    pub(crate) fn give_up_for_the_signal(&mut self) {
        self.verdict.give_up_for_the_signal();
        self.reader.stop();
    }

    fn give_up_in_time(&mut self) {
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            self.give_up_for_the_signal();
        } else if !self.window.is_empty()
            && self.confirm_due().is_some_and(|due| Instant::now() >= due)
        {
            let seconds = self.patience.elapsed().as_secs();
            let text = format!("no confirm for {seconds} s (--retry)");
            self.give_up(Failure::new(Exit::TempFail, text));
        }
    }
}
