//! When the channel or the connection fails: a new one, and everything unconfirmed again.

use crate::broker::link::Link;
use crate::record::item::Route;
use crate::record::unsupported;
use crate::sender::{LAST_CONFIRMS, SHORTEST_PATIENCE, Sender};
use rmq_common::amqp_error::{AmqpError, Lost};
use rmq_common::connection::Broker;
use rmq_common::duration::Limit;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::retry::{Backoff, Patience};
use rmq_common::runtime::{self, first, sleep_until};
use std::cell::Cell;
use std::future::{Future, pending};
use std::time::{Duration, Instant};

/// How long a run with a spool is without a broker before it says so.
const NO_BROKER: Duration = Duration::from_secs(5);
/// How long a run with a spool leaves a broker that has refused its credentials.
const REFUSED: Duration = Duration::from_secs(30);
/// How often it is looked meanwhile whether the input has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A connection that ends so soon after a message may have ended over it.
const AT_ONCE: Duration = Duration::from_secs(2);
/// So often a connection has to be lost over a record alone until it is suspected.
const LOSSES_ALONE: u32 = 3;

impl Sender {
    /// The channel or the connection is gone.
    pub(crate) async fn lost(&mut self, trouble: AmqpError) {
        // What is rare is kept out of the future that is polled for every message.
        Box::pin(self.recover(trouble)).await;
    }

    async fn recover(&mut self, trouble: AmqpError) {
        self.pause = None;
        self.watch.renewed();
        // What is published after the end is told of the end, but not of its reason.
        let trouble = match &self.link {
            Some(link) => link.explained(trouble).await,
            None => trouble,
        };
        match trouble {
            AmqpError::Lost(lost) => {
                let accused = self.suspect();
                self.window.lost();
                self.cut(&lost);
                if !self.verdict.is_failure() || self.window.has_again() {
                    self.reconnect().await;
                }
                if let Some(number) = accused {
                    self.judge(number, &lost).await;
                }
            }
            // A spool keeps what may be allowed again.
            AmqpError::Refused(_) if trouble.is_not_permitted() && self.job.spooled.is_some() => {
                self.window.lost();
                self.give_up(trouble.failure().context("publish"));
            }
            AmqpError::Refused(_)
                if (trouble.is_not_permitted() || trouble.is_not_found())
                    && let Some(route) = self.job.fixed.clone() =>
            {
                // It holds for every record alike: they all go the same way.
                self.window.lost();
                let refused = self.refused(&route, trouble);
                let first = self.window.unknown().next();
                self.give_up(match first {
                    Some(number) => refused.context(self.job.positions.of(number)),
                    None => refused,
                });
            }
            AmqpError::Refused(_) => {
                self.exchanges.forget();
                if let Some(number) = self.window.blame() {
                    let route = self.window.record(number).and_then(|record| {
                        record.message.as_ref().map(|message| message.route.clone())
                    });
                    let refused = self.refused(&route.unwrap_or_default(), trouble);
                    self.fail_record(number, refused);
                }
                // Only the channel is closed; the connection serves the next one.
                if !self.verdict.is_failure() || self.window.has_again() {
                    self.renew().await;
                }
            }
            AmqpError::Protocol(_) => {
                self.window.lost();
                self.give_up(trouble.failure());
            }
        }
    }

    /// The record that the broker may drop the connection over: it was sent alone each time, and each
    /// time the connection was gone at once. What other reasons there may be (a node that is killed)
    /// do not come again and again just then.
    fn suspect(&mut self) -> Option<u64> {
        let at_once = self.watch.sent_ago().is_some_and(|ago| ago < AT_ONCE);
        let suspicion = self.window.suspect(at_once);
        if suspicion.begins {
            let text = "the connection was lost twice with the same records unconfirmed; sending \
                        them one by one";
            self.diagnostics.notice(text);
        }
        suspicion.alone.filter(|(_, times)| *times >= LOSSES_ALONE).map(|(number, _)| number)
    }

    /// The record is at fault where the broker takes another message. Where it drops the connection
    /// over any, no record is.
    async fn judge(&mut self, number: u64, why: &Lost) {
        let Some(link) = &self.link else { return };
        let probe = link.takes_messages();
        let (takes, signal) =
            unless_stopped(&self.signals, self.deadline, LAST_CONFIRMS, probe).await;
        self.take_signal(signal);
        match takes {
            Some(true) => self.fail_culprit(number, why),
            Some(false) => {}
            None => self.give_up_for_the_signal(),
        }
    }

    fn fail_culprit(&mut self, number: u64, why: &Lost) {
        let record = self.window.record(number).and_then(|record| record.message.as_ref());
        let Some(message) = record else { return };
        let hint = unsupported::not_by_streams(&message.properties);
        let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        let shown = message.route.shown();
        let text = format!("publish to {shown}: the broker drops the connection over it: {why}");
        self.fail_record(number, Failure::data(format!("{text}{hint}")));
    }

    fn refused(&self, route: &Route, trouble: AmqpError) -> Failure {
        let vhost = self.broker.vhost();
        trouble.failure().context(format!("publish to {} in vhost {vhost}", route.shown()))
    }

    fn cut(&mut self, why: &Lost) {
        if let Some(link) = self.link.take() {
            let lost = self.broker.lost(link.host(), why);
            self.diagnostics.notice(&lost);
            link.cut();
        }
    }

    /// Connects again, to the next host, until it works or there is no time left.
    async fn reconnect(&mut self) {
        // A connection that ends as soon as it is used must not be made a thousand times a second.
        let pause = self.backoff.next_pause();
        if self.connect(pause, false).await
            && let Some(link) = &self.link
        {
            self.diagnostics.notice(&format!("connected to {}", link.host()));
        }
    }

    /// The first connection of a run with a spool, which did not wait for it.
    pub(crate) async fn connect_at_first(&mut self) {
        if !self.connect(Duration::ZERO, true).await {
            return;
        }
        if let (Some(link), Some(route)) = (&mut self.link, self.job.look_at.clone())
            && let Err(failure) = look(&self.broker, link, &route).await
        {
            self.give_up(failure);
        }
    }

    /// Connects after a pause; false if that is given up.
    async fn connect(&mut self, pause: Duration, is_first: bool) -> bool {
        let mut patience = self.patience.clone();
        if self.window.is_empty() {
            patience.progress();
        }
        // What is in a spool is safe, so that a signal need not wait for a broker.
        let grace = if self.job.spooled.is_some() { Duration::ZERO } else { LAST_CONFIRMS };
        let mut over = None;
        let ended = Cell::new(self.job.spooled.as_ref().is_none_or(|spooled| spooled.is_over));
        let Sender { broker, signals, deadline, job, diagnostics, .. } = self;
        let first_route = job.look_at.as_deref().filter(|_| is_first);
        let connect = async {
            runtime::sleep(pause).await;
            let mut told = false;
            loop {
                let failure = match connect(broker, job.mandatory, first_route, &patience).await {
                    Ok(link) => return Ok(Connected::Link(Box::new(link))),
                    Err(failure) => failure,
                };
                match failure.exit() {
                    Exit::Unavailable if job.spooled.is_some() => {
                        let text = match job.retry {
                            Limit::For(limit) if limit.is_zero() => "no broker reached".to_owned(),
                            limit => format!("no broker reached within {limit} (--retry)"),
                        };
                        return Err(Failure::new(Exit::Unavailable, format!("{failure}; {text}")));
                    }
                    // What is read is kept, and whoever writes it must not be stopped by that.
                    Exit::NoPerm if job.spooled.is_some() && !ended.get() => {
                        if !std::mem::replace(&mut told, true) {
                            let text = "trying again; what is read is kept in the spool";
                            diagnostics.notice(&format!("{failure}; {text}"));
                        }
                        let again = Instant::now() + REFUSED;
                        while !ended.get() && Instant::now() < again {
                            runtime::sleep(LOOK_AGAIN).await;
                        }
                    }
                    _ => return Err(failure),
                }
            }
        };
        let meanwhile = async {
            let Some(spooled) = &job.spooled else { return pending().await };
            if !spooled.is_over {
                over = spooled.over.recv_async().await.ok();
                if let Some(broken) = over.as_ref().and_then(|over| over.broken.clone()) {
                    return Err(broken);
                }
                if spooled.done.kept() == 0 && spooled.done.in_memory() == 0 {
                    return Ok(Connected::NothingToSend);
                }
                // Whatever is left of it, there is one more try.
                patience.begin(job.retry);
                ended.set(true);
            }
            spooled.awaited().await;
            Ok(Connected::Awaited)
        };
        // Whoever reads the log of a service must know where its records are.
        let notice = async {
            runtime::sleep(NO_BROKER).await;
            if let Some(spooled) = &job.spooled {
                let directory = spooled.directory.path().display();
                let text = format!("no broker yet; what is read is kept in the spool {directory}");
                diagnostics.notice(&text);
            }
            pending().await
        };
        let connect = first(connect, first(meanwhile, notice));
        let (connected, signal) = unless_stopped(signals, *deadline, grace, connect).await;
        if let Some(over) = over {
            self.spooled(over);
        }
        self.take_signal(signal);
        match connected {
            Some(Ok(Connected::Link(link))) => {
                self.link = Some(*link);
                self.window.begin_tentatively();
                return true;
            }
            // Nothing was read, and nothing waits: no broker is needed.
            Some(Ok(Connected::NothingToSend)) => self.verdict.stop(),
            Some(Ok(Connected::Awaited)) => {
                self.hand_over();
                self.verdict.stop();
            }
            Some(Err(failure)) => self.give_up(failure),
            None => self.give_up_for_the_signal(),
        }
        false
    }

    /// Once the pause after a nack is over: a new channel to send again on. A channel of
    /// RabbitMQ 3.10 that was opened while a quorum queue had no leader may nack for ever, or fall
    /// silent; a new one finds the new leader.
    pub(crate) async fn renew_after_nack(&mut self) {
        let over = self.pause.is_some_and(|until| Instant::now() >= until);
        if over && self.window.in_flight() == 0 {
            self.pause = None;
            self.renew().await;
        }
    }

    /// Goes on on a new channel of the same connection; on a new connection if that fails. It takes
    /// no longer than there is time for a confirm.
    async fn renew(&mut self) {
        let due = self.confirm_due().filter(|_| !self.window.is_empty());
        let Sender { link, signals, deadline, .. } = self;
        let Some(link) = link else { return };
        let renew = link.renew(due);
        let (renewed, signal) = unless_stopped(signals, *deadline, LAST_CONFIRMS, renew).await;
        self.take_signal(signal);
        match renewed {
            Some(Ok(())) => self.window.begin_tentatively(),
            Some(Err(_)) if due.is_some_and(|due| Instant::now() >= due) => self.give_up_in_time(),
            Some(Err(trouble)) => {
                self.cut(&trouble.into_lost());
                self.reconnect().await;
            }
            None => self.give_up_for_the_signal(),
        }
    }

    pub(crate) fn take_signal(&mut self, signal: Option<i32>) {
        if let Some(signal) = signal {
            self.signal(signal);
        }
    }

    /// A connection that neither confirms nor nacks for long is given up for another.
    pub(crate) async fn give_up_on_a_stalled_link(&mut self) {
        if self.link.is_some()
            && let Some(limit) = self.watch.stalled()
        {
            let seconds = limit.as_secs();
            self.lost(AmqpError::lost(format!("nothing confirmed for {seconds} s"))).await;
        }
    }
}

/// What came of trying to connect.
enum Connected {
    Link(Box<Link>),
    NothingToSend,
    /// Another rmq-send waits for the spool.
    Awaited,
}

/// Looks whether the queue or the exchange of `route` is there.
///
/// # Errors
/// It is not (65). Anything but a clear no is the sender's business: it can connect again.
pub async fn look(broker: &Broker, link: &mut Link, route: &Route) -> Result<(), Failure> {
    match link.look_at_first(route).await {
        Err(error) if error.is_not_found() => {
            Err(Failure::new(error.exit(), route.missing(broker.vhost())))
        }
        _ => Ok(()),
    }
}

/// Connects and opens the link, again while it is lost in between. Asks for `at_first` meanwhile, for
/// [`look`].
///
/// # Errors
/// As [`Broker::connect`].
pub async fn connect(
    broker: &mut Broker,
    mandatory: bool,
    at_first: Option<&Route>,
    patience: &Patience,
) -> Result<Link, Failure> {
    let mut backoff = Backoff::default();
    loop {
        let session = broker.connect(patience).await?;
        let by = patience.left().map(|left| Instant::now() + left.max(SHORTEST_PATIENCE));
        match Link::open(session, mandatory, at_first, by).await {
            Ok(link) => return Ok(link),
            Err(AmqpError::Lost(lost)) if broker.learn(&lost) || !patience.is_over() => {
                runtime::sleep(backoff.next_pause()).await;
            }
            Err(trouble) => return Err(trouble.failure().context("open a channel")),
        }
    }
}

/// Does `work` unless a signal stops it: the first one leaves it so much `grace`, the second and
/// the deadline end it. The first signal that came is handed over, whatever became of the work.
pub async fn unless_stopped<T>(
    signals: &flume::Receiver<i32>,
    mut deadline: Option<Instant>,
    grace: Duration,
    work: impl Future<Output = T>,
) -> (Option<T>, Option<i32>) {
    let mut signalled = None;
    let stop = async {
        loop {
            let time = async {
                sleep_until(deadline).await;
                None
            };
            match first(async { signals.recv_async().await.ok() }, time).await {
                Some(signal) if deadline.is_none() => {
                    signalled = Some(signal);
                    deadline = Some(Instant::now() + grace);
                }
                _ => return None,
            }
        }
    };
    let done = first(async { Some(work.await) }, stop).await;
    (done, signalled)
}
