//! The connection to the broker, opened again when it is lost, and the channels on it.
//!
//! Whoever asks takes a channel that nobody uses, or opens one, and gives it back unless the answer
//! was a refusal, which closes it. So many may ask at once, and one refusal disturbs nobody else.
//! Everything asked here is idempotent: what was under way when the connection broke is asked again.

use futures_util::lock::Mutex;
use lapin::Channel;
use rmq_common::amqp_error::Trouble;
use rmq_common::connection::Broker;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::duration::Limit;
use rmq_common::failure::Failure;
use rmq_common::retry::{Backoff, Patience};
use rmq_common::runtime;
use rmq_common::server::Server;
use rmq_common::session::{Session, answer};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// A connection and the channels on it.
pub struct Link {
    /// Whoever holds it connects, while the others wait.
    broker: Mutex<Broker>,
    /// `None` once it is lost.
    open: RefCell<Option<Rc<Open>>>,
    vhost: String,
    user: String,
    retry: Limit,
    diagnostics: Diagnostics,
}

/// An open connection; ended when nobody uses it any more.
struct Open {
    /// `None` only while it is being closed.
    session: Option<Session>,
    idle: RefCell<Vec<Channel>>,
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            session.cut();
        }
    }
}

impl Link {
    /// Connects to `broker`, trying for `retry`.
    ///
    /// # Errors
    /// As [`Broker::connect`].
    pub async fn open(
        broker: Broker,
        retry: Limit,
        diagnostics: Diagnostics,
    ) -> Result<Self, Failure> {
        let (vhost, user) = (broker.vhost().to_owned(), broker.user().to_owned());
        let (broker, open) = (Mutex::new(broker), RefCell::new(None));
        let link = Link { broker, open, vhost, user, retry, diagnostics };
        link.connect(&Patience::new(retry)).await?;
        Ok(link)
    }

    /// The virtual host.
    pub fn vhost(&self) -> &str {
        &self.vhost
    }

    /// The user's name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The broker at the other end, where there is one and it said which it is.
    pub fn server(&self) -> Option<Server> {
        self.open.borrow().as_ref().and_then(|open| open.server().cloned())
    }

    /// Asks something about `what`, as in `queue jobs`, on a new connection if this one is lost
    /// meanwhile; then the broker may be another one. The inner error is about this question: the
    /// broker refused it, or it kept being lost for as long as `--retry`.
    ///
    /// # Errors
    /// When no connection is to be had within `--retry` (69), or the credentials are refused (77):
    /// then nothing else need be asked.
    pub async fn ask<T>(
        &self,
        what: &str,
        question: impl AsyncFn(&Channel, Option<&Server>) -> lapin::Result<T>,
    ) -> Result<Result<T, Trouble>, Failure> {
        // How long nothing has worked, without the time it took to notice.
        let mut patience = Patience::new(self.retry);
        let mut pauses: Option<Backoff> = None;
        loop {
            let open = self.connect(&patience).await?;
            let (lost, is_first) = match open.ask(&question).await {
                Ok(answer) => return Ok(Ok(answer)),
                Err(Asked { trouble: Trouble::Lost(why), closes_connection }) => {
                    (why, !closes_connection || self.lose(&open))
                }
                Err(Asked { trouble, closes_connection }) => {
                    if closes_connection {
                        self.lose(&open);
                    }
                    return Ok(Err(trouble));
                }
            };
            drop(open);
            let backoff = pauses.get_or_insert_with(|| {
                patience.progress();
                // One of many who lose the same connection tells it.
                if is_first && !self.retry.is_over(Duration::ZERO) {
                    self.diagnostics.notice(&format!("{what}: {lost}; trying again"));
                }
                Backoff::default()
            });
            if patience.is_over() {
                return Ok(Err(Trouble::Lost(lost)));
            }
            let pause = backoff.next_pause();
            runtime::sleep(patience.left().map_or(pause, |left| left.min(pause))).await;
        }
    }

    async fn connect(&self, patience: &Patience) -> Result<Rc<Open>, Failure> {
        let mut broker = self.broker.lock().await;
        // Somebody else may have connected while this one waited.
        if let Some(open) = &*self.open.borrow() {
            return Ok(open.clone());
        }
        let session = Some(broker.connect(patience).await?);
        let open = Rc::new(Open { session, idle: RefCell::default() });
        *self.open.borrow_mut() = Some(open.clone());
        Ok(open)
    }

    /// Forgets a connection; whether it was not forgotten before.
    fn lose(&self, lost: &Rc<Open>) -> bool {
        let mut open = self.open.borrow_mut();
        let is_current = open.as_ref().is_some_and(|open| Rc::ptr_eq(open, lost));
        if is_current {
            *open = None;
        }
        is_current
    }

    /// Ends the connection.
    pub async fn close(self) {
        let open = self.open.take().and_then(Rc::into_inner);
        if let Some(session) = open.and_then(|mut open| open.session.take()) {
            session.close().await;
        }
    }
}

/// What came of a question that was not answered as hoped.
struct Asked {
    trouble: Trouble,
    /// Whether the connection is over with it, and not the channel alone.
    closes_connection: bool,
}

impl Open {
    fn server(&self) -> Option<&Server> {
        self.session.as_ref().and_then(Session::server)
    }

    async fn ask<T>(
        &self,
        question: impl AsyncFn(&Channel, Option<&Server>) -> lapin::Result<T>,
    ) -> Result<T, Asked> {
        let lost = |trouble| Asked { trouble, closes_connection: true };
        let idle = self.idle.borrow_mut().pop();
        let channel = match (idle, &self.session) {
            (Some(channel), _) => channel,
            (None, Some(session)) => session.channel().await.map_err(lost)?,
            (None, None) => return Err(lost(Trouble::Lost("not connected".to_owned()))),
        };
        let closes_channel = Cell::new(false);
        let asked = async {
            question(&channel, self.server()).await.inspect_err(|error| {
                closes_channel.set(error.is_amqp_soft_error());
            })
        };
        match answer(asked).await {
            Ok(answer) => {
                self.idle.borrow_mut().push(channel);
                Ok(answer)
            }
            Err(trouble) => {
                let trouble = refused_for_good(trouble);
                Err(Asked { trouble, closes_connection: !closes_channel.get() })
            }
        }
    }
}

/// RabbitMQ answers a feature that a release does not permit any more like an accident of its own
/// (541), which would be tried again in vain.
fn refused_for_good(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Lost(text) if text.contains("is deprecated") => {
            Trouble::Refused { code: rmq_common::amqp_error::reply::INTERNAL_ERROR, text }
        }
        other => other,
    }
}
