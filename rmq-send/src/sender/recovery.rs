//! After a failure, opens a new channel or connection and sends everything unconfirmed again.

use crate::broker::connect;
use crate::broker::connection::accusation;
use crate::broker::link::Link;
use crate::sender::run_loop::Sender;
use crate::sender::stop::LAST_CONFIRMS;
use rmq_common::amqp_error::{AmqpError, Lost};
use rmq_common::count::counted;
use rmq_common::duration::Limit;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::runtime::{self, first};
use std::cell::Cell;
use std::future::pending;
use std::time::{Duration, Instant};

/// How long a run with a spool waits for a broker before reporting it.
const NO_BROKER: Duration = Duration::from_secs(5);
/// How long a run with a spool waits after a broker has refused its credentials.
const REFUSED: Duration = Duration::from_secs(30);
/// How often to check meanwhile whether the input has ended.
const CHECK_AGAIN: Duration = Duration::from_millis(100);
/// How often a connection must be lost while a record is alone before the record is suspected.
const LOSSES_ALONE: u32 = 3;

/// The result of an attempt to connect.
enum Connected {
    Link(Box<Link>),
    NothingToSend,
    /// Another rmq-send waits for the spool.
    Awaited,
}

impl Sender {
    /// The channel or the connection is gone.
    pub(super) async fn lost(&mut self, error: AmqpError) {
        // Keeps rare work out of the future that is polled for every message.
        Box::pin(self.recover(error)).await;
    }

    async fn recover(&mut self, error: AmqpError) {
        let error = self.connection.ended(error).await;
        match error {
            AmqpError::Lost(lost) => {
                let accused = self.suspect();
                self.tell_resent();
                self.account.lost();
                self.connection.cut(&lost, self.vigil.is_reported());
                if self.account.wants_to_send() {
                    self.reconnect().await;
                }
                if let Some(number) = accused {
                    self.judge(number, &lost).await;
                }
            }
            // A spool keeps what may be allowed later.
            AmqpError::Refused(_) if error.is_not_permitted() && self.keeps() => {
                self.account.lost();
                self.account.give_up(error.failure().context("publish"));
            }
            AmqpError::Refused(_)
                if (error.is_not_permitted() || error.is_not_found())
                    && let Some(route) = self.fixed.clone() =>
            {
                // This concerns all records alike, because they have the same destination.
                self.account.lost();
                let refused = self.connection.refused(&route, error);
                let first = self.account.window().unknown().next();
                self.account.give_up(match first {
                    Some(number) => refused.context(self.positions.of(number)),
                    None => refused,
                });
            }
            AmqpError::Refused(_) => {
                self.connection.forget_exchanges();
                if let Some(number) = self.account.blame() {
                    let message = self.account.message(number);
                    let route = message.map(|message| message.route.clone()).unwrap_or_default();
                    let refused = self.connection.refused(&route, error);
                    self.account.fail_record(number, refused);
                }
                // Only the channel is closed; the connection can be used for the next one.
                if self.account.wants_to_send() {
                    self.renew().await;
                }
            }
            AmqpError::Protocol(_) => {
                self.account.lost();
                self.account.give_up(error.failure());
            }
        }
    }

    /// With `--verbose`, reports how many records are sent again.
    fn tell_resent(&self) {
        let in_flight = self.account.window().in_flight();
        if in_flight > 0 {
            let records = counted(in_flight as u64, "record");
            self.diagnostics.trace(&format!("{records} to be sent again"));
        }
    }

    /// The record over which the broker may be dropping the connection: each time it was alone, and
    /// each time the connection was lost at once. Other causes, such as a node that is killed, do
    /// not repeat at just those moments.
    fn suspect(&mut self) -> Option<u64> {
        let suspicion = self.account.suspect(self.connection.ended_at_once());
        if suspicion.begins {
            let text = "the connection was lost twice with the same records unconfirmed; sending \
                        them one by one";
            self.diagnostics.notice(text);
        }
        suspicion.alone.filter(|(_, times)| *times >= LOSSES_ALONE).map(|(number, _)| number)
    }

    /// The record is at fault if the broker takes another message. If the broker drops the
    /// connection over any message, no record is.
    async fn judge(&mut self, number: u64, why: &Lost) {
        let Some((link, _)) = self.connection.link() else { return };
        let takes = self.stop.unless(LAST_CONFIRMS, Box::pin(link.takes_messages())).await;
        self.take_signal();
        match takes {
            Some(true) => {
                let failure = self.account.message(number).map(|message| accusation(message, why));
                if let Some(failure) = failure {
                    self.account.fail_record(number, failure);
                }
            }
            Some(false) => {}
            None => self.account.give_up_for_the_signal(),
        }
    }

    /// Connects again, to the next host, until it succeeds or time runs out.
    async fn reconnect(&mut self) {
        let pause = self.connection.next_pause();
        if Box::pin(self.connect(pause, false)).await {
            self.connection.report_connected();
        }
    }

    /// The first connection of a run with a spool, which starts without one.
    pub(super) async fn connect_at_first(&mut self) {
        if !Box::pin(self.connect(Duration::ZERO, true)).await {
            return;
        }
        if let (Some((link, broker)), Some(route)) = (self.connection.link(), &self.checked_first)
            && let Err(failure) = connect::check(broker, link, route).await
        {
            self.account.give_up(failure);
        }
    }

    /// Connects after a pause; false if that is given up.
    async fn connect(&mut self, pause: Duration, is_first: bool) -> bool {
        let mut patience = self.patience.clone();
        if self.account.window().is_empty() {
            patience.progress();
        }
        // What is in a spool or in files is safe, so a signal need not wait for a broker.
        let grace = if self.keeps() { Duration::ZERO } else { LAST_CONFIRMS };
        let mut over = None;
        let Sender { connection, stop, spooled, retry, checked_first, diagnostics, .. } = self;
        let spooled = spooled.as_ref();
        let follows = self.followed.as_ref().is_some_and(|followed| !followed.once());
        let was_let_in = self.was_let_in;
        // Else the broker's own notice says where they are kept.
        let says_kept = connection.loss_is_reported();
        let ended = Cell::new(spooled.is_none_or(|spooled| spooled.is_over()));
        let first_route = checked_first.as_deref().filter(|_| is_first);
        let connect = async {
            runtime::sleep(pause).await;
            let mut reported = false;
            loop {
                let failure = match Box::pin(connection.connect(first_route, &patience)).await {
                    Ok(link) => return Ok(Connected::Link(Box::new(link))),
                    Err(failure) => failure,
                };
                match failure.exit() {
                    Exit::Unavailable if spooled.is_some() => {
                        let text = match *retry {
                            Limit::For(limit) if limit.is_zero() => "no broker reached".to_owned(),
                            limit => format!("no broker reached within {limit} (--retry)"),
                        };
                        return Err(Failure::new(Exit::Unavailable, format!("{failure}; {text}")));
                    }
                    // The input is kept, and its writer must not be stopped by this.
                    Exit::NoPerm if spooled.is_some() && !ended.get() => {
                        if !std::mem::replace(&mut reported, true) {
                            let text = "trying again; records are kept in the spool";
                            diagnostics.notice(&format!("{failure}; {text}"));
                        }
                        let again = Instant::now() + REFUSED;
                        while !ended.get() && Instant::now() < again {
                            runtime::sleep(CHECK_AGAIN).await;
                        }
                    }
                    // What worked before may work again, for example while a password is being
                    // changed.
                    Exit::NoPerm if follows && was_let_in => {
                        if !std::mem::replace(&mut reported, true) {
                            let text = "trying again; the files keep what is not sent";
                            diagnostics.notice(&format!("{failure}; {text}"));
                        }
                        runtime::sleep(REFUSED).await;
                    }
                    _ => return Err(failure),
                }
            }
        };
        let meanwhile = async {
            let Some(spooled) = spooled else { return pending().await };
            if !spooled.is_over() {
                over = spooled.input_over().await;
                if let Some(broken) = over.as_ref().and_then(|over| over.broken.clone()) {
                    return Err(broken);
                }
                if spooled.holds_nothing() {
                    return Ok(Connected::NothingToSend);
                }
                // However little time is left, there is one more attempt.
                patience.begin(*retry);
                ended.set(true);
            }
            spooled.awaited().await;
            Ok(Connected::Awaited)
        };
        // The log of a service must say where its records are.
        let notice = async {
            runtime::sleep(NO_BROKER).await;
            if let Some(spooled) = spooled.filter(|_| says_kept) {
                let directory = spooled.shown();
                let text = format!("no broker yet; records are kept in the spool {directory}");
                diagnostics.notice(&text);
            }
            pending().await
        };
        let connect = Box::pin(connect);
        let connected = stop.unless(grace, first(connect, first(meanwhile, notice))).await;
        if let Some(over) = over {
            self.spooled(over);
        }
        self.take_signal();
        match connected {
            Some(Ok(Connected::Link(link))) => {
                self.was_let_in = true;
                self.vigil.begin_anew();
                self.connection.set(*link);
                self.account.begin_tentatively();
                return true;
            }
            // Nothing was read, and nothing waits, so no broker is needed.
            Some(Ok(Connected::NothingToSend)) => self.account.verdict().stop(),
            Some(Ok(Connected::Awaited)) => {
                self.hand_over();
                self.account.verdict().stop();
            }
            Some(Err(failure)) => self.account.give_up(failure),
            None => self.account.give_up_for_the_signal(),
        }
        false
    }

    /// After the pause that follows a nack, opens a new channel to send again on. A channel that
    /// RabbitMQ 3.10 opened while a quorum queue had no leader may nack forever, or fall silent; a
    /// new one finds the new leader.
    pub(super) async fn renew_after_nack(&mut self) {
        if self.account.window().in_flight() == 0 && self.connection.end_pause() {
            self.renew().await;
        }
    }

    /// Continues on a new channel of the same connection, or on a new connection if that fails. It
    /// takes no longer than the time left for a confirm.
    async fn renew(&mut self) {
        let due = self.confirm_due().filter(|_| !self.account.window().is_empty());
        let Some((link, _)) = self.connection.link() else { return };
        let renewed = self.stop.unless(LAST_CONFIRMS, Box::pin(link.renew(due))).await;
        self.take_signal();
        match renewed {
            Some(Ok(())) => self.account.begin_tentatively(),
            Some(Err(_)) if due.is_some_and(|due| Instant::now() >= due) => self.give_up_in_time(),
            Some(Err(error)) => {
                self.connection.cut(&error.into_lost(), self.vigil.is_reported());
                self.reconnect().await;
            }
            None => self.account.give_up_for_the_signal(),
        }
    }

    /// Replaces a connection that has neither confirmed nor nacked for too long.
    pub(super) async fn give_up_on_a_stalled_link(&mut self) {
        if let Some(limit) = self.connection.stalled() {
            let seconds = limit.as_secs();
            self.lost(AmqpError::silence(format!("nothing confirmed for {seconds} s"))).await;
        }
    }
}
