//! When the channel or the connection fails: a new one, and everything unconfirmed again.

use crate::link::Link;
use crate::sender::{LAST_CONFIRMS, Sender, first};
use lapin::types::ShortString;
use rmq_common::amqp_error::Trouble;
use rmq_common::connection::Broker;
use rmq_common::failure::Failure;
use rmq_common::retry::Patience;
use rmq_common::runtime;
use std::future::pending;
use std::pin::pin;
use std::time::Instant;

impl Sender {
    /// The channel or the connection is gone.
    pub(crate) async fn lost(&mut self, trouble: Trouble) {
        if let Some(link) = self.link.take() {
            if let Trouble::Lost(why) = &trouble {
                let host = link.host();
                self.diagnostics.notice(&format!("lost the connection to {host}: {why}"));
            }
            link.cut();
        }
        self.pause = None;
        self.watch.renewed();
        match trouble {
            Trouble::Lost(_) => self.window.lost(),
            Trouble::Refused { .. } => {
                let blamed = self.window.blame();
                let failure = trouble.failure().context(format!("publish to {}", self.queue));
                if let Some(number) = blamed {
                    self.fail(failure.context(format!("line {number}")));
                }
            }
            Trouble::Protocol(_) => {
                self.window.lost();
                self.give_up(trouble.failure());
                return;
            }
        }
        if !self.verdict.is_failure() || self.window.has_again() {
            self.reconnect().await;
        }
    }

    /// Connects again, to the next host, until it works or there is no time left.
    async fn reconnect(&mut self) {
        let mut patience = self.patience.clone();
        if self.window.is_empty() {
            patience.progress();
        }
        let deadline = self.deadline;
        let mut signalled = None;
        let connected = {
            let connect = pin!(connect(&mut self.broker, &self.queue, &patience));
            let signals = &self.signals;
            let stop = pin!(async {
                let mut deadline = deadline;
                loop {
                    let left = deadline.map(|d| d.saturating_duration_since(Instant::now()));
                    let time = async {
                        match left {
                            Some(left) => runtime::sleep(left).await,
                            None => pending().await,
                        }
                        None
                    };
                    let signal = async { signals.recv_async().await.ok() };
                    match first(signal, time).await {
                        Some(signal) if deadline.is_none() => {
                            signalled = Some(signal);
                            deadline = Some(Instant::now() + LAST_CONFIRMS);
                        }
                        _ => break,
                    }
                }
                None
            });
            first(async { Some(connect.await) }, stop).await
        };
        if let Some(signal) = signalled {
            self.signal(signal);
        }
        match connected {
            Some(Ok(link)) => {
                let host = link.host();
                self.diagnostics.notice(&format!("connected to {host}"));
                self.link = Some(link);
            }
            Some(Err(failure)) => self.give_up(failure),
            None => self.give_up_for_the_signal(),
        }
    }

    /// Once the pause after a nack is over: a new channel to send again on. A channel of
    /// RabbitMQ 3.10 that was opened while a quorum queue had no leader may nack for ever, or fall
    /// silent; a new one finds the new leader.
    pub(crate) async fn renew_after_nack(&mut self) {
        let over = self.pause.is_some_and(|until| Instant::now() >= until);
        if !over || self.window.in_flight() > 0 {
            return;
        }
        self.pause = None;
        let renewed = match &mut self.link {
            Some(link) => link.renew(self.queue.clone()).await,
            None => Ok(()),
        };
        if let Err(trouble) = renewed {
            self.lost(trouble).await;
        }
    }

    /// A connection that neither confirms nor nacks for long is given up for another.
    pub(crate) async fn give_up_on_a_stalled_link(&mut self) {
        if self.link.is_some()
            && let Some(limit) = self.watch.stalled()
        {
            let seconds = limit.as_secs();
            self.lost(Trouble::Lost(format!("nothing confirmed for {seconds} s"))).await;
        }
    }
}

/// Connects and opens the link, again while it is lost in between.
///
/// # Errors
/// As [`Broker::connect`].
pub async fn connect(
    broker: &mut Broker,
    queue: &ShortString,
    patience: &Patience,
) -> Result<Link, Failure> {
    loop {
        let session = broker.connect(patience).await?;
        match Link::open(session, queue.clone()).await {
            Ok(link) => return Ok(link),
            Err(Trouble::Lost(_)) if !patience.is_over() => {}
            Err(trouble) => return Err(trouble.failure().context("open a channel")),
        }
    }
}
