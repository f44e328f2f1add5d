//! The loop: passes each event to the part that handles it.

use crate::broker::connection::Connection;
use crate::broker::link::{Link, News};
use crate::follow::handle::Followed;
use crate::input::intake::Intake;
use crate::input::positions::Positions;
use crate::input::reader::{Input, Reader};
use crate::record::item::{Item, Route};
use crate::record::wire_size;
use crate::results::action::{Action, Duties};
use crate::results::places::Places;
use crate::results::tally::Tally;
use crate::results::verdict::Verdict;
use crate::sender::account::Account;
use crate::sender::job::Job;
use crate::sender::stop::Stop;
use crate::spool::handle::Spooled;
use crate::spool::intake::Over;
use rmq_common::connection::Broker;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::duration::Limit;
use rmq_common::failure::Failure;
use rmq_common::retry::Patience;
use rmq_common::runtime::{first, sleep_until};
use rmq_common::standing::live::Live;
use rmq_common::standing::vigil::Vigil;
use std::future::pending;
use std::sync::Arc;

/// The parts of a run.
pub struct Sender {
    pub(super) account: Account,
    pub(super) places: Places,
    pub(super) connection: Connection,
    pub(super) intake: Intake,
    pub(super) stop: Stop,
    pub(super) patience: Patience,
    pub(super) retry: Limit,
    pub(super) fixed: Option<Arc<Route>>,
    pub(super) checked_first: Option<Arc<Route>>,
    pub(super) spooled: Option<Spooled>,
    pub(super) followed: Option<Followed>,
    /// Whether a broker has accepted our login.
    pub(super) was_let_in: bool,
    pub(super) positions: Positions,
    pub(super) live: Live<Tally>,
    /// What the run is waiting for without a confirm.
    pub(super) vigil: Vigil,
    pub(super) diagnostics: Diagnostics,
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

/// Why the next record cannot be published yet.
enum Halt {
    /// Its exchange has not been checked.
    Exchange(u64, Arc<Route>),
    /// Its headers take this many bytes, which is too many.
    Headers(u64, usize),
}

impl Sender {
    /// Sends what `reader` reads over `link`, or connects once a broker is available.
    pub fn new(
        job: Job,
        broker: Broker,
        link: Option<Link>,
        reader: Reader,
        signals: flume::Receiver<i32>,
    ) -> Self {
        let diagnostics = broker.diagnostics();
        let (rejects, tee, acknowledges) = job.places.kinds();
        let spool = job.spooled.is_some();
        let kept = spool || job.followed.is_some();
        let duties = Duties { rejects, tee, acknowledges, kept, finite: job.finite };
        let was_let_in = link.is_some();
        let spooled = job.spooled.as_ref().map(Spooled::gauge);
        let behind = job.followed.as_ref().map(Followed::gauge);
        job.live.probe(move |tally: &mut Tally| {
            if let Some(spooled) = spooled.as_ref().and_then(|spooled| spooled()) {
                (tally.read, tally.spooled) = (spooled.read, Some(spooled.waiting));
            }
            tally.behind = behind.as_ref().map(|behind| behind());
        });
        Sender {
            account: Account::new(job.window, duties, job.positions.clone(), diagnostics),
            places: job.places,
            connection: Connection::new(broker, link, job.mandatory, job.fixed.as_deref()),
            intake: Intake::new(reader),
            stop: Stop::new(signals),
            // With a spool, nothing is given up while there is input.
            patience: Patience::new(if spool { Limit::Forever } else { job.retry }),
            retry: job.retry,
            fixed: job.fixed,
            checked_first: job.checked_first,
            spooled: job.spooled,
            followed: job.followed,
            was_let_in,
            positions: job.positions,
            live: job.live,
            vigil: Vigil::default(),
            diagnostics,
        }
    }

    /// Starts with input that was read before.
    #[must_use]
    pub fn begin_with(mut self, input: Input) -> Self {
        self.input(input);
        self
    }

    /// Runs until everything that was read is confirmed or cannot be.
    pub async fn run(mut self) -> (Verdict, Tally) {
        // A run that turns out to have nothing to send needs no broker.
        if self.connection.link().is_none() && !self.intake.is_over() {
            self.connect_at_first().await;
        }
        loop {
            if self.connection.is_paused() {
                Box::pin(self.renew_after_nack()).await;
            }
            let halt = self.publish();
            let left = self.leave();
            if let Some(halt) = halt {
                Box::pin(self.see_to(halt)).await;
                continue;
            }
            if self.account.is_done(self.intake.is_over() && self.intake.is_empty()) {
                break;
            }
            if left && !self.intake.is_empty() && self.has_room() {
                // Records that had nothing to wait for have made room.
                continue;
            }
            self.keep_vigil();
            match self.step().await {
                Step::News(news) => self.news(news).await,
                Step::Input(input) => self.input(input),
                Step::Signal(signal) => self.signal(signal),
                Step::Spooled(over) => self.spooled(over),
                Step::Awaited => self.hand_over(),
                Step::Time => Box::pin(self.give_up_on_a_stalled_link()).await,
            }
            self.leave();
            self.give_up_in_time();
        }
        Box::pin(self.finish()).await
    }

    /// Waits for the next event. Safe to drop at any point.
    async fn step(&mut self) -> Step {
        let time = self.next_time();
        let is_hungry = self.intake.is_hungry() && self.has_room();
        let Sender { connection, intake, stop, places, spooled, .. } = self;
        let spooled = async {
            match spooled {
                Some(spooled) => spooled.next().await.map_or(Step::Awaited, Step::Spooled),
                None => pending().await,
            }
        };
        let news = async { Step::News(connection.news().await) };
        let input =
            async { if is_hungry { Step::Input(intake.next().await) } else { pending().await } };
        let signal = async { Step::Signal(stop.next().await) };
        let time = async {
            first(places.moved(), sleep_until(time)).await;
            Step::Time
        };
        first(first(signal, news), first(first(input, spooled), time)).await
    }

    fn has_room(&self) -> bool {
        self.account.window().has_room() && self.places.has_room()
    }

    pub(super) fn input(&mut self, input: Input) {
        match input {
            // They stay in the spool.
            Input::Items(_) if self.is_handed_over() => {}
            Input::Items(items) => {
                let records = items.iter().filter(|item| !matches!(item, Item::Rest { .. }));
                // What comes out of the spool was counted by its own thread, or by an earlier run.
                if self.spooled.is_none() {
                    self.account.read(records.count() as u64);
                }
                self.intake.extend(items);
            }
            Input::End(end) => {
                self.intake.end();
                self.account.verdict().input_ended(end);
            }
        }
    }

    /// Publishes what can be published now, up to a record that needs something else first.
    fn publish(&mut self) -> Option<Halt> {
        loop {
            let has_room = self.places.has_room();
            let Some(item) = self.intake.pop_if(|item| self.account.admits(item, has_room)) else {
                break;
            };
            if self.account.window().is_empty() {
                // Time with nothing to confirm is not time without progress.
                self.patience.progress();
            }
            self.account.enter(item);
            self.perform();
        }
        if self.account.verdict().has_given_up() {
            return None;
        }
        let (link, exchanges, watch) = self.connection.publishes()?;
        let frame_max = link.frame_max();
        let publisher = link.publisher();
        let mut is_any_sent = false;
        let halt = loop {
            if publisher.is_full() {
                break None;
            }
            let Some(due) = self.account.due() else { break None };
            let route = &due.message.route;
            if !exchanges.is_known(&route.exchange) {
                break Some(Halt::Exchange(due.number, route.clone()));
            }
            if let Err(size) = wire_size::fits(&due.message.properties, frame_max) {
                break Some(Halt::Headers(due.number, size));
            }
            publisher.publish(due.number, due.message);
            let (number, again) = (due.number, due.again);
            self.account.sent(number, again);
            is_any_sent = true;
        };
        if is_any_sent {
            watch.sent();
        }
        publisher.send();
        halt
    }

    /// Does what the next record needs first.
    async fn see_to(&mut self, halt: Halt) {
        match halt {
            Halt::Exchange(number, route) => self.check_exchange(number, &route).await,
            Halt::Headers(number, size) => {
                let why = format!("its headers take {size} bytes, more than a frame holds");
                self.account.fail_record(number, Failure::data(why));
            }
        }
    }

    /// Lets records whose fate is known leave the window. Returns whether any did.
    pub(super) fn leave(&mut self) -> bool {
        let any = self.account.leave();
        self.perform();
        self.places.flush();
        self.live.set(self.account.tally());
        any
    }

    /// Performs the pending actions.
    pub(super) fn perform(&mut self) {
        while let Some(action) = self.account.next() {
            let outcome = match action {
                Action::DoneUpTo(number) => {
                    if let Some(spooled) = &self.spooled {
                        spooled.is_done(number);
                    }
                    if let Some(followed) = &self.followed {
                        followed.confirm(number);
                    }
                    Ok(())
                }
                action => self.places.perform(action),
            };
            self.account.performed(outcome);
            if !self.account.keeps_rejects() {
                self.places.drop_rejects();
            }
        }
        if self.account.ends_input() {
            self.intake.stop();
        }
    }
}
