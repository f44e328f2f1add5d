//! Requests on a connection, with a time limit.

use crate::cli::diagnostics::Diagnostics;
use crate::net::amqp_error::AmqpError;
use crate::net::lane::Junction;
use crate::net::outage::Outage;
use crate::net::runtime;
use crate::standing::vigil::LONG;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use lapin::options::QueueDeclareOptions;
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Event, Queue};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, pending, poll_fn};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// How long the broker may take to answer a method. On a cluster without a majority it takes 30 s
/// to refuse a declaration (RabbitMQ 4.3).
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(40);

/// Sends requests on a connection, for code that does not hold its [`Session`].
#[derive(Clone)]
pub struct Asker {
    events: Rc<RefCell<Events>>,
    junction: Arc<Junction>,
    host: Rc<str>,
    diagnostics: Diagnostics,
    outage: Rc<Outage>,
}

impl Asker {
    /// For the connection to `host` whose events these are.
    pub(super) fn new(
        events: BoxStream<'static, Event>,
        junction: Arc<Junction>,
        host: &str,
        diagnostics: Diagnostics,
        outage: Rc<Outage>,
    ) -> Self {
        let events = Rc::new(RefCell::new(Events { told: events, seen: VecDeque::new() }));
        Asker { events, junction, host: Rc::from(host), diagnostics, outage }
    }

    pub(super) fn junction(&self) -> &Arc<Junction> {
        &self.junction
    }

    /// The next event of the connection; `None` after the last.
    pub(super) fn poll_event(&self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        let Events { told, seen } = &mut *self.events.borrow_mut();
        match seen.pop_front() {
            None => told.poll_next_unpin(context),
            seen => Poll::Ready(seen),
        }
    }

    /// The error that ends the connection; pending forever if there is none. It leaves the events to
    /// [`poll_event`](Self::poll_event), whose caller may be the only one to report the end.
    pub(super) fn end(&self) -> impl Future<Output = AmqpError> + use<> {
        let events = self.events.clone();
        poll_fn(move |context| {
            let Events { told, seen } = &mut *events.borrow_mut();
            loop {
                if let Some(Event::Error(error)) = seen.back() {
                    return Poll::Ready(AmqpError::from(error));
                }
                match told.poll_next_unpin(context) {
                    Poll::Ready(Some(event)) => seen.push_back(event),
                    Poll::Ready(None) | Poll::Pending => return Poll::Pending,
                }
            }
        })
    }

    /// Waits for the broker's answer, but neither forever nor beyond the end of the connection: a
    /// node may be frozen, a blocked connection does not even write the request, and if a
    /// connection ends between a basic.get-ok and its message, lapin forgets the waiting task.
    ///
    /// # Errors
    /// The error from the broker or lapin, or why the connection ended; after the time limit it
    /// counts as lost.
    pub async fn answer<T>(
        &self,
        asked: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T, AmqpError> {
        self.wait(async { asked.await.map_err(|error| AmqpError::from(&error)) }).await
    }

    /// The same for requests that are not sent through lapin.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub async fn wait<T>(
        &self,
        asked: impl Future<Output = Result<T, AmqpError>>,
    ) -> Result<T, AmqpError> {
        let _awaited = self.junction.await_answer();
        let answer = async {
            let answer = runtime::timeout(ANSWER_TIMEOUT, asked).await;
            answer.unwrap_or_else(|| Err(AmqpError::unanswered()))
        };
        let ended = async { Err(self.end().await) };
        let is_ours = Cell::new(false);
        let slow = async {
            runtime::sleep(LONG).await;
            // One of several simultaneous requests is reported for all.
            if self.outage.slow() {
                is_ours.set(true);
                let (host, seconds) = (&self.host, LONG.as_secs());
                self.diagnostics.notice(&format!(
                    "no answer from {host} for {seconds} s, it may have no majority; waiting"
                ));
            }
            pending().await
        };
        let answer = runtime::first(runtime::first(answer, ended), slow).await;
        if is_ours.get() && answer.is_ok() {
            self.outage.answered();
            self.diagnostics.notice(&format!("{} answers again", self.host));
        }
        answer
    }

    /// Declares a queue passively, which changes nothing.
    ///
    /// # Errors
    /// As [`answer`](Self::answer); there is no such queue, which closes the channel.
    pub async fn queue(&self, channel: &Channel, name: &ShortString) -> Result<Queue, AmqpError> {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        self.answer(channel.queue_declare(name.clone(), passive, FieldTable::default())).await
    }

    /// Closes a channel: its unacknowledged messages are then back in their queues.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub async fn close(&self, channel: &Channel) -> Result<(), AmqpError> {
        self.answer(channel.close(OK, ok())).await
    }
}

/// lapin's events of a connection.
struct Events {
    told: BoxStream<'static, Event>,
    /// Events that were received here and not handed over yet.
    seen: VecDeque<Event>,
}

/// The reply code of a normal close (AMQP 0-9-1, reply-success).
pub(super) const OK: u16 = 200;

pub(super) fn ok() -> ShortString {
    ShortString::try_new("OK").unwrap_or_default()
}
