//! The connection to the broker, reopened when it is lost, and its channels.
//!
//! A request uses a free channel, or opens one, and returns it unless the answer was a refusal,
//! which closes it. So many requests can run at once, and a refusal disturbs no other. Every
//! request here is idempotent: those pending when the connection was lost are repeated.

use crate::broker::channels::{Life, Problem, Slot, retire};
use crate::broker::connector::Connector;
use crate::broker::leader::Leaders;
use futures_util::lock::{Mutex, MutexGuard};
use lapin::Channel;
use rmq_common::amqp_error::{AmqpError, Loss, Lost};
use rmq_common::connection::Broker;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::duration::Limit;
use rmq_common::failure::Failure;
use rmq_common::retry::{Backoff, Patience};
use rmq_common::runtime::{self, first};
use rmq_common::server::Server;
use rmq_common::session::ANSWER_TIMEOUT;
use rmq_common::standing::vigil::LONG;
use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

/// How long a queue may take to answer before it counts as down. Healthy ones take milliseconds; if
/// the node of a classic queue is down, RabbitMQ 4.0 reports it after 67 s, and 4.3 after 74 s.
pub const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// The answer to a request.
pub enum Reply<T> {
    Is(T),
    /// The broker refused, or its connection was lost again and again for as long as `--retry`.
    Refused(AmqpError),
    /// It exists but cannot be queried: why.
    Unavailable(String),
}

pub struct Link {
    connector: Connector,
    open: Slot,
    leaders: Leaders,
    alone: Mutex<()>,
    retry: Limit,
    /// Whether a long wait for an answer has been reported.
    slow: Cell<bool>,
    diagnostics: Diagnostics,
}

impl Link {
    /// Connects to `broker`, trying for `retry`.
    pub async fn open(
        broker: Broker,
        retry: Limit,
        diagnostics: Diagnostics,
    ) -> Result<Self, Failure> {
        let connector = Connector::new(broker);
        let (open, leaders) = (Slot::default(), Leaders::default());
        let alone = Mutex::default();
        let slow = Cell::default();
        let link = Link { connector, open, leaders, alone, retry, slow, diagnostics };
        link.connector.connect(&link.open, &Patience::new(retry)).await?;
        Ok(link)
    }

    pub fn vhost(&self) -> &str {
        self.connector.vhost()
    }

    pub fn user(&self) -> &str {
        self.connector.user()
    }

    /// The broker at the other end, if connected and it identified itself.
    pub fn server(&self) -> Option<Server> {
        self.open.get().and_then(|open| open.server().cloned())
    }

    /// Sends a request about `what`, such as `queue jobs`, and repeats it on a new connection,
    /// perhaps to another broker, if this one is lost. The inner error is about this request: the
    /// broker refused it, or it could not be answered for as long as `--retry`.
    ///
    /// # Errors
    /// No connection within `--retry` (69), or refused credentials (77): then no other request can
    /// succeed.
    pub async fn ask<T>(
        &self,
        what: &str,
        question: impl AsyncFn(&Channel, Option<&Server>) -> lapin::Result<T>,
    ) -> Result<Result<T, AmqpError>, Failure> {
        Ok(match self.asked(what, None, question).await? {
            Reply::Is(answer) => Ok(answer),
            Reply::Refused(trouble) => Err(trouble),
            Reply::Unavailable(why) => Err(AmqpError::lost(why)),
        })
    }

    /// The same for a request that every healthy queue answers at once: it is not repeated if the
    /// broker says that it cannot be answered now, or says nothing within `limit` on a live
    /// connection.
    pub async fn look<T>(
        &self,
        what: &str,
        limit: Duration,
        question: impl AsyncFn(&Channel, Option<&Server>) -> lapin::Result<T>,
    ) -> Result<Reply<T>, Failure> {
        self.asked(what, Some(limit), question).await
    }

    async fn asked<T>(
        &self,
        what: &str,
        look: Option<Duration>,
        question: impl AsyncFn(&Channel, Option<&Server>) -> lapin::Result<T>,
    ) -> Result<Reply<T>, Failure> {
        let whole = Patience::new(self.retry);
        // For how long nothing has worked, without the time it took to notice.
        let mut patience = whole.clone();
        let mut pauses: Option<Backoff> = None;
        let mut known: Option<Lost> = None;
        loop {
            let open = self.connector.connect(&self.open, &patience).await?;
            let limit = look.unwrap_or_else(|| answer_time(&whole));
            let answer = Box::pin(open.ask(limit, &question));
            let (mut lost, reported) = match first(answer, self.slow(what, limit)).await {
                Ok(answer) => return Ok(Reply::Is(answer)),
                Err(Problem::UsedUp) => {
                    self.open.lose(&open);
                    retire(open).await;
                    continue;
                }
                Err(Problem::Silent) => {
                    let is_alive =
                        look.is_some() && matches!(open.sign_of_life().await, Life::Alive);
                    self.open.lose(&open);
                    if is_alive {
                        return Ok(Reply::Unavailable(silent(limit)));
                    }
                    // The time waited in vain counts.
                    pauses.get_or_insert_default();
                    (known.clone().unwrap_or_else(|| Lost::because(silent(limit))), Rc::default())
                }
                Err(Problem::Channel(AmqpError::Lost(lost))) => match look {
                    // It is in use, not down.
                    Some(_) if lost.why == Loss::Locked => {
                        return Ok(Reply::Refused(AmqpError::Lost(lost)));
                    }
                    Some(_) => return Ok(Reply::Unavailable(lost.to_string())),
                    None => (lost, Rc::default()),
                },
                Err(Problem::Channel(trouble)) => return Ok(Reply::Refused(trouble)),
                Err(Problem::Connection(AmqpError::Lost(lost))) => {
                    self.open.lose(&open);
                    (lost, open.reported.clone())
                }
                Err(Problem::Connection(trouble)) => {
                    self.open.lose(&open);
                    return Ok(Reply::Refused(trouble));
                }
            };
            let is_first = known.is_none();
            let backoff = pauses.get_or_insert_with(|| {
                patience.progress();
                Backoff::default()
            });
            // Many requests lose the same connection; one reports it, preferably one that knows the
            // reason.
            let report = |lost: &Lost| {
                if is_first && !self.retry.is_over(Duration::ZERO) && !reported.replace(true) {
                    self.diagnostics.notice(&format!("{what}: {lost}; trying again"));
                }
            };
            if !lost.is_unexplained() && !patience.is_over() {
                report(&lost);
            }
            if patience.is_over() {
                return Ok(Reply::Refused(AmqpError::Lost(lost)));
            }
            let pause = backoff.next_pause();
            runtime::sleep(patience.left().map_or(pause, |left| left.min(pause))).await;
            if let (true, Some(AmqpError::Lost(why))) = (lost.is_unexplained(), open.reason()) {
                lost = why;
            }
            report(&lost);
            self.connector.learn(&lost).await;
            known = Some(lost);
        }
    }

    /// Reports once that a question waits long for its answer; the output shows when the wait is
    /// over. Of several simultaneous questions, only one is reported. Never ready.
    async fn slow<T>(&self, what: &str, limit: Duration) -> T {
        runtime::sleep(LONG).await;
        if limit > LONG && !self.slow.replace(true) {
            let (seconds, most) = (LONG.as_secs(), limit.as_secs());
            self.diagnostics.notice(&format!(
                "{what}: no answer for {seconds} s, the cluster may have no majority; waiting for up \
                 to {most} s"
            ));
        }
        pending().await
    }

    pub fn connector(&self) -> &Connector {
        &self.connector
    }

    pub fn leaders(&self) -> &Leaders {
        &self.leaders
    }

    /// Waits until no other request that may close the connection is in progress.
    pub async fn alone(&self) -> MutexGuard<'_, ()> {
        self.alone.lock().await
    }

    pub async fn close(self) {
        self.leaders.close().await;
        self.open.close().await;
    }
}

/// The time limit of the next answer: nothing outlives `--retry` by more than one answer.
fn answer_time(whole: &Patience) -> Duration {
    match whole.limit() {
        Limit::Forever => ANSWER_TIMEOUT,
        Limit::For(retry) => {
            (retry + ANSWER_TIMEOUT).saturating_sub(whole.elapsed()).min(ANSWER_TIMEOUT)
        }
    }
}

fn silent(limit: Duration) -> String {
    format!("the broker gave no answer within {} s", limit.as_secs_f64().round())
}
