//! The heart of rmq-send: records in, confirms awaited, everything unconfirmed sent again.

use crate::broker::link::{Link, News};
use crate::broker::obstacle::{Looked, Obstacle, Refusals};
use crate::broker::watch::Watch;
use crate::exchanges::Exchanges;
use crate::input::positions::Positions;
use crate::input::reader::{End, Input, Reader};
use crate::outstanding::Outstanding;
use crate::record::item::{Item, Route};
use crate::results::ack_to::Acknowledger;
use crate::results::ranges::Ranges;
use crate::results::rejects::Rejects;
use crate::results::tally::Tally;
use crate::results::tee::Tee;
use crate::results::verdict::Verdict;
use crate::spool::handle::Spooled;
use crate::spool::intake::Over;
use rmq_common::connection::Broker;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::duration::Limit;
use rmq_common::failure::Failure;
use rmq_common::progress::Progress;
use rmq_common::retry::{Backoff, Patience};
use rmq_common::runtime::{first, sleep_until};
use std::collections::{BTreeMap, VecDeque};
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a broker that is there may take to confirm, however short `--retry` is.
pub(crate) const SHORTEST_PATIENCE: Duration = Duration::from_secs(15);
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
    /// Why the broker did not take the last that it answered about; `None` after a confirm.
    pub(crate) obstacle: Option<Obstacle>,
    pub(crate) looked: Looked,
    pub(crate) refusals: Refusals,
    /// A signal came: confirms are awaited until then.
    pub(crate) deadline: Option<Instant>,
    pub(crate) verdict: Verdict,
    /// Why records in the window are to be kept in the rejects when they leave.
    pub(crate) refused: BTreeMap<u64, Failure>,
    /// A record is lost to this run, so that nothing behind it is told as done.
    pub(crate) silenced: bool,
    /// What is done, or will be when a record has passed into the rejects, and waits to be told.
    pub(crate) untold: Vec<(u64, Option<Arc<str>>)>,
    pub(crate) diagnostics: Diagnostics,
}

/// What happened next.
enum Step {
    News(News),
    Input(Input),
    Signal(i32),
    Spooled(Over),
    Awaited,
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
            obstacle: None,
            looked: Looked::default(),
            refusals: Refusals::default(),
            deadline: None,
            verdict: Verdict::default(),
            refused: BTreeMap::new(),
            silenced: false,
            untold: Vec::new(),
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
            let left = self.leave();
            if let Some(halt) = halt {
                self.see_to(halt).await;
                continue;
            }
            if self.is_done() {
                break;
            }
            if left && !self.read.is_empty() && self.has_room() {
                // Records that had nothing to wait for have made room.
                continue;
            }
            match self.step().await {
                Step::News(news) => self.news(news).await,
                Step::Input(input) => self.input(input),
                Step::Signal(signal) => self.signal(signal),
                Step::Spooled(over) => self.spooled(over),
                Step::Awaited => self.hand_over(),
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

    /// Waits for the next thing to happen. Safe to drop at any point.
    async fn step(&mut self) -> Step {
        let time = self.next_time();
        let has_room = self.has_room();
        let wants_input = !self.input_over && self.read.is_empty() && has_room;
        let Sender { link, reader, signals, job, .. } = self;
        let Job { tee, acknowledger, spooled, .. } = job;
        let spooled = async {
            match spooled {
                Some(spooled) if !spooled.is_over => {
                    let over = spooled.over.recv_async().await;
                    Step::Spooled(over.unwrap_or_else(|_| Over::lost()))
                }
                Some(spooled) if !spooled.handed_over => {
                    spooled.awaited().await;
                    Step::Awaited
                }
                _ => pending().await,
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
            let room = async {
                match (tee, acknowledger) {
                    (Some(tee), _) if !tee.has_room() => tee.moved().await,
                    (_, Some(told)) if !told.has_room() => told.moved().await,
                    _ => pending().await,
                }
            };
            first(room, sleep_until(time)).await;
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
    /// reached, but a broker that is there has a right to the time it takes to answer; not once it
    /// has answered no to everything, nor while it says that it takes nothing.
    pub(crate) fn confirm_due(&self) -> Option<Instant> {
        let left = self.patience.left()?;
        let answered = self.obstacle.is_some() && self.window.in_flight() == 0;
        let floor = match answered || self.watch.is_blocked() {
            true => Duration::ZERO,
            false => SHORTEST_PATIENCE.saturating_sub(self.patience.elapsed()),
        };
        Some(Instant::now() + left.max(floor))
    }

    pub(crate) fn is_handed_over(&self) -> bool {
        self.job.spooled.as_ref().is_some_and(|spooled| spooled.handed_over)
    }

    pub(crate) fn input(&mut self, input: Input) {
        match input {
            // They stay in the spool.
            Input::Items(_) if self.is_handed_over() => {}
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
}
