//! An open connection, and its end.
//!
//! Every method and every close has a deadline, because nothing is written on a connection that the
//! broker has blocked, not even its close. After it the socket is shut.

use crate::cli::diagnostics::Diagnostics;
use crate::net::amqp_error::AmqpError;
use crate::net::lane::{Junction, Lane, Pumped};
use crate::net::outage::Outage;
use crate::net::runtime;
use crate::net::server::Server;
use crate::net::socket::Cutter;
use futures_util::{FutureExt, StreamExt};
use lapin::{Channel, Connection, ErrorKind, Event};
use std::cell::RefCell;
use std::fmt;
use std::future::{Future, pending, poll_fn, ready};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

mod asker;

use asker::{OK, ok};

pub use asker::{ANSWER_TIMEOUT, Asker};

/// How long lapin may take between closing a connection and reporting why.
const REASON_TIMEOUT: Duration = Duration::from_millis(100);
/// How many milliseconds lapin may take to release a closed channel.
const FORGETTING: u32 = 200;
/// How long a close may take before the socket is shut.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// An open connection to one host.
pub struct Session {
    connection: Connection,
    host: String,
    server: Option<Server>,
    asker: Asker,
    cutter: Cutter,
    /// Set from the first lane on.
    pumped: RefCell<Option<Pumped>>,
}

/// Closes a channel without waiting: nothing depends on the answer.
pub fn close_now(channel: &Channel) {
    let _ = channel.close(OK, ok()).now_or_never();
}

impl Session {
    pub(crate) fn new(
        connection: Connection,
        host: String,
        server: Option<Server>,
        junction: Arc<Junction>,
        cutter: Cutter,
        diagnostics: Diagnostics,
        outage: Rc<Outage>,
    ) -> Self {
        let events = connection.events_listener().filter(|event| ready(!ends_a_channel(event)));
        let asker = Asker::new(events.boxed(), junction, &host, diagnostics, outage);
        Session { connection, host, server, asker, cutter, pumped: RefCell::default() }
    }

    /// Seconds between heartbeats, as agreed with the broker.
    pub fn heartbeat(&self) -> u16 {
        self.connection.configuration().heartbeat()
    }

    /// The host, as `name:port`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The negotiated maximum frame size in bytes.
    pub fn frame_max(&self) -> u32 {
        self.connection.configuration().frame_max()
    }

    /// The broker's identity; `None` if unknown.
    pub fn server(&self) -> Option<&Server> {
        self.server.as_ref()
    }

    /// Whether the broker allows only one channel.
    pub fn has_one_channel(&self) -> bool {
        self.connection.configuration().channel_max() == 1
    }

    /// The largest message received on it, in bytes: its body and its properties.
    pub fn largest(&self) -> u64 {
        self.asker.junction().largest()
    }

    /// A lane for `channel`, on which lapin then neither publishes nor acknowledges. From the first
    /// lane on, this thread reads the connection.
    pub fn lane(&self, channel: &Channel) -> Lane {
        self.pumped.borrow_mut().get_or_insert_with(|| Pumped::new(self.asker.junction()));
        Lane::new(self.asker.junction(), channel.id(), self.frame_max())
    }

    /// Opens a channel.
    ///
    /// # Errors
    /// The connection is lost or the broker refuses.
    pub async fn channel(&self) -> Result<Channel, AmqpError> {
        let opened = async {
            for _ in 0..FORGETTING {
                match self.connection.create_channel().await {
                    // lapin releases a channel a moment after reporting it closed.
                    Err(error) if matches!(error.kind(), ErrorKind::ChannelsLimitReached) => {
                        runtime::sleep(Duration::from_millis(1)).await;
                    }
                    opened => return opened,
                }
            }
            self.connection.create_channel().await
        };
        self.answer(opened).await
    }

    /// The next event of the connection; pending forever if there is none. The end of a channel,
    /// which lapin also reports here, is left to its user.
    pub async fn event(&mut self) -> Event {
        match poll_fn(|context| self.asker.poll_event(context)).await {
            Some(event) => event,
            None => pending().await,
        }
    }

    /// Sends requests on this connection.
    pub fn asker(&self) -> Asker {
        self.asker.clone()
    }

    /// As [`Asker::answer`].
    ///
    /// # Errors
    /// As of that.
    pub async fn answer<T>(
        &self,
        asked: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T, AmqpError> {
        self.asker.answer(asked).await
    }

    /// Why the connection ends, once it does. It borrows nothing, so that it can be awaited while
    /// the session is in use.
    pub fn end(&self) -> impl Future<Output = AmqpError> + use<> {
        self.asker.end()
    }

    /// Why the connection was lost, if lapin has reported it and [`event`](Self::event) has not
    /// taken it. A channel learns it only if it was waiting at the time.
    pub fn reason(&self) -> Option<AmqpError> {
        self.end().now_or_never()
    }

    /// The same `trouble`, or the reason the connection was lost if `trouble` lacks it.
    pub async fn explained(&self, trouble: AmqpError) -> AmqpError {
        if !trouble.is_unexplained() {
            return trouble;
        }
        runtime::timeout(REASON_TIMEOUT, self.end()).await.unwrap_or(trouble)
    }

    /// Closes the connection; cuts it if that takes too long.
    pub async fn close(self) {
        let close = async {
            // An error here means that the connection is gone, as desired.
            let _ = self.connection.close(OK, ok()).await;
        };
        if runtime::timeout(CLOSE_TIMEOUT, close).await.is_none() {
            self.cutter.cut();
        }
    }

    /// Ends the connection without a close: for one that is lost or blocked.
    pub fn cut(self) {
        self.cutter.cut();
    }
}

/// Whether it is the end of a channel rather than of the connection.
fn ends_a_channel(event: &Event) -> bool {
    matches!(event, Event::Error(error) if error.is_amqp_soft_error())
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("host", &self.host).finish_non_exhaustive()
    }
}
