//! The connection to the broker across reconnects, and what its answers have shown.

use crate::broker::connect::connect;
use crate::broker::exchanges::Exchanges;
use crate::broker::link::{Link, News};
use crate::broker::obstacles::Obstacles;
use crate::broker::watch::Watch;
use crate::record::item::{Message, Route};
use crate::record::unsupported;
use rmq_common::amqp_error::{AmqpError, Lost, alarm};
use rmq_common::connection::Broker;
use rmq_common::duration::Limit;
use rmq_common::failure::Failure;
use rmq_common::retry::{Backoff, Patience};
use rmq_common::standing::repeats::Repeats;
use rmq_common::standing::vigil::LONG;
use std::future::pending;
use std::time::{Duration, Instant};

/// The longest pause after a nack. A run may lag this far behind the election of a new leader; each
/// attempt costs the broker a channel and one message.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// If a connection ends within this time of a message, the message may be the cause.
const AT_ONCE: Duration = Duration::from_secs(2);

pub struct Connection {
    broker: Broker,
    link: Option<Link>,
    mandatory: bool,
    exchanges: Exchanges,
    watch: Watch,
    backoff: Backoff,
    /// After a nack, nothing is sent before this time, and nothing more on the channel that nacked.
    pause: Option<Instant>,
    obstacles: Obstacles,
    /// How often the broker has blocked the connection.
    blocks: Repeats,
}

impl Connection {
    /// With `mandatory`, unroutable messages are returned. The exchange of `fixed` exists.
    pub fn new(broker: Broker, link: Option<Link>, mandatory: bool, fixed: Option<&Route>) -> Self {
        Connection {
            broker,
            link,
            mandatory,
            exchanges: Exchanges::new(fixed),
            watch: Watch::default(),
            backoff: Backoff::default(),
            pause: None,
            obstacles: Obstacles::default(),
            blocks: Repeats::new(1),
        }
    }

    /// The virtual host.
    pub fn vhost(&self) -> &str {
        self.broker.vhost()
    }

    /// The link and the broker, if there is a link.
    pub fn link(&mut self) -> Option<(&mut Link, &Broker)> {
        self.link.as_mut().map(|link| (link, &self.broker))
    }

    /// Waits for the next event.
    pub async fn news(&mut self) -> News {
        match &mut self.link {
            Some(link) => link.news().await,
            None => pending().await,
        }
    }

    /// The link, if something may be published now.
    pub fn publishes(&mut self) -> Option<(&mut Link, &Exchanges, &mut Watch)> {
        let link = self.link.as_mut().filter(|_| self.pause.is_none())?;
        Some((link, &self.exchanges, &mut self.watch))
    }

    /// When something has to be done even if nothing happens.
    pub fn next_time(&self, in_flight: usize) -> Option<Instant> {
        let pause = self.pause.filter(|_| in_flight == 0);
        let stall = self.watch.stalls_at().filter(|_| self.link.is_some());
        [pause, stall].into_iter().flatten().min()
    }

    /// Whether the broker owes no answer: it has refused everything, or blocks the connection.
    pub fn owes_nothing(&self, in_flight: usize) -> bool {
        (self.obstacles.last().is_some() && in_flight == 0) || self.watch.is_blocked()
    }

    /// Why nothing is confirmed, for `--retry`.
    pub fn why_unconfirmed(&self, seconds: u64, retry: Limit) -> String {
        match (self.watch.block(), self.obstacles.last()) {
            (Some(reason), _) => {
                let alarm = alarm(reason);
                format!("the broker has blocked the connection ({alarm}) (--retry {retry})")
            }
            (None, Some(obstacle)) => format!("{} (--retry {retry})", obstacle.shown()),
            (None, None) => format!(
                "no confirm for {seconds} s, the queue may have no leader (--retry {retry})"
            ),
        }
    }

    /// Takes note that the broker blocks or unblocks the connection; returns what to report. If it
    /// does both repeatedly, only an occasional line with a count is reported.
    pub fn blocked(&mut self, reason: Option<String>) -> Option<String> {
        let was_told = self.blocks.is_reported();
        let text = match &reason {
            Some(reason) => self.blocks.another(Instant::now()).map(|untold| {
                let more = match untold {
                    0 => String::new(),
                    more => format!(" (and was {more} more times since the last such line)"),
                };
                format!("the broker blocks publishing ({reason}){more}; waiting")
            }),
            None => was_told.then(|| "the broker accepts messages again".to_owned()),
        };
        self.watch.blocked(reason);
        text
    }

    /// What a long wait is for, and how to report its end; `None` if reported when it began.
    pub fn waits_for(&self, in_flight: usize, retry: Limit) -> Option<String> {
        let limit = match retry {
            Limit::Forever => String::new(),
            limit => format!(" for up to {limit} (--retry)"),
        };
        match (self.watch.block(), self.obstacles.last()) {
            (Some(_), _) if self.blocks.is_reported() => None,
            (Some(reason), _) => {
                Some(format!("the broker blocks publishing ({reason}); waiting{limit}"))
            }
            (None, Some(obstacle)) => Some(format!("{}; trying again{limit}", obstacle.shown())),
            (None, None) if in_flight > 0 => {
                let seconds = LONG.as_secs();
                let why = "the queue may have no leader, or no majority of its members";
                Some(format!("no confirm for {seconds} s, {why}; waiting{limit}"))
            }
            (None, None) => None,
        }
    }

    /// The broker answered; `more` says whether more answers are due.
    pub fn answered(&mut self, more: bool) {
        self.watch.answered(more);
    }

    /// The broker confirmed something; `all` means that it nacked nothing in the same answer.
    pub fn progress(&mut self, all: bool) {
        self.backoff.reset();
        self.watch.progress();
        self.obstacles.progress(all);
    }

    /// What keeps records from being confirmed.
    pub fn obstacles(&mut self) -> &mut Obstacles {
        &mut self.obstacles
    }

    /// Whether sending is paused after a nack.
    pub fn is_paused(&self) -> bool {
        self.pause.is_some()
    }

    /// Pauses after a nack, unless already paused: nothing more is sent until all messages are
    /// answered, in however many parts.
    pub fn pause(&mut self) {
        if self.pause.is_none() {
            self.pause = Some(Instant::now() + self.backoff.next_pause().min(LONGEST_PAUSE));
        }
    }

    /// Ends the pause if its time is over.
    pub fn end_pause(&mut self) -> bool {
        let is_over = self.pause.is_some_and(|until| Instant::now() >= until);
        if is_over {
            self.pause = None;
        }
        is_over
    }

    /// The link, if the broker may be asked whether a full queue is why it nacks everything.
    pub fn asks_about(&self, route: &Route) -> Option<&Link> {
        self.link.as_ref().filter(|_| route.is_to_queue())
    }

    /// Notes that this exchange exists.
    pub fn exists(&mut self, exchange: &Route) {
        self.exchanges.add(&exchange.exchange);
    }

    /// Notes that one of the exchanges no longer exists.
    pub fn forget_exchanges(&mut self) {
        self.exchanges.forget();
    }

    /// The channel or the connection is gone: returns the error, with its reason if known.
    pub async fn ended(&mut self, error: AmqpError) -> AmqpError {
        self.pause = None;
        self.watch.renewed();
        // Publishing after the end fails with the end of the connection, but without its reason.
        match &self.link {
            Some(link) => link.explained(error).await,
            None => error,
        }
    }

    /// Whether the last message was published so recently that the connection may have ended over it.
    pub fn ended_at_once(&self) -> bool {
        self.watch.sent_ago().is_some_and(|ago| ago < AT_ONCE)
    }

    /// For how long nothing was confirmed, if that is too long.
    pub fn stalled(&mut self) -> Option<Duration> {
        self.link.as_ref()?;
        self.watch.stalled()
    }

    /// The connection is lost. If it was reported that an answer is awaited, that none comes is
    /// `known`.
    pub fn cut(&mut self, why: &Lost, known: bool) {
        if let Some(link) = self.link.take() {
            self.broker.report_lost(link.host(), why, known);
            link.cut();
        }
    }

    /// Whether it was reported that there is no link any longer.
    pub fn loss_is_reported(&self) -> bool {
        self.broker.loss_is_reported()
    }

    /// Reports that there is a link again.
    pub fn report_connected(&mut self) {
        if let Some(link) = &self.link {
            self.broker.report_connected(link.host());
        }
    }

    /// How long to wait before connecting again. A connection that ends as soon as it is used must
    /// not be opened a thousand times a second.
    pub fn next_pause(&mut self) -> Duration {
        self.backoff.next_pause()
    }

    /// Connects, asking for `at_first` meanwhile.
    pub async fn connect(
        &mut self,
        at_first: Option<&Route>,
        patience: &Patience,
    ) -> Result<Link, Failure> {
        connect(&mut self.broker, self.mandatory, at_first, patience).await
    }

    /// Continues with this link.
    pub fn set(&mut self, link: Link) {
        self.link = Some(link);
    }

    /// Why publishing to `route` was refused.
    pub fn refused(&self, route: &Route, error: AmqpError) -> Failure {
        let vhost = self.vhost();
        error.failure().context(format!("publish to {} in vhost {vhost}", route.shown()))
    }

    /// Closes the connection.
    pub async fn close(&mut self) {
        match self.link.take() {
            // A blocked connection would not write its close either.
            Some(link) if self.watch.is_blocked() => link.cut(),
            Some(link) => link.close().await,
            None => {}
        }
    }
}

/// The failure of a message over which the broker drops the connection.
pub fn accusation(message: &Message, why: &Lost) -> Failure {
    let hint = unsupported::not_by_streams(&message.properties);
    let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
    let shown = message.route.shown();
    let text = format!("publish to {shown}: the broker drops the connection over it: {why}");
    Failure::data(format!("{text}{hint}"))
}
