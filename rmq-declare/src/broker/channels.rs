//! An open connection and its channels, each of which handles one request at a time.

use lapin::Channel;
use rmq_common::amqp_error::{AmqpError, Breach};
use rmq_common::runtime;
use rmq_common::server::Server;
use rmq_common::session::Session;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// Between two checks for a free channel.
const PAUSE: Duration = Duration::from_millis(2);
/// The number of checks if no channel in use could become free.
const PAUSES: u32 = 500;
/// How long a live connection takes to open a channel, which no queue can delay.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);

/// An open connection, closed when it is no longer used.
pub struct Open {
    /// `None` only during the close.
    session: Option<Session>,
    /// Channels that are not in use.
    idle: RefCell<Vec<Channel>>,
    /// The number of requests that run or wait for a channel.
    asking: Cell<usize>,
    /// The number of those that wait.
    waiting: Cell<usize>,
    /// Whether no further channel can be opened.
    used_up: Cell<bool>,
    /// Whether its loss has been reported.
    pub reported: Rc<Cell<bool>>,
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            session.cut();
        }
    }
}

/// The connection in use; none before the first, and after it is lost.
#[derive(Default)]
pub struct Slot(RefCell<Option<Rc<Open>>>);

impl Slot {
    pub fn get(&self) -> Option<Rc<Open>> {
        self.0.borrow().clone()
    }

    pub fn put(&self, open: Rc<Open>) {
        *self.0.borrow_mut() = Some(open);
    }

    /// Removes a connection, if it is still the current one.
    pub fn lose(&self, lost: &Rc<Open>) {
        let mut open = self.0.borrow_mut();
        if open.as_ref().is_some_and(|open| Rc::ptr_eq(open, lost)) {
            *open = None;
        }
    }

    /// Closes the connection.
    pub async fn close(&self) {
        let open = self.0.take();
        if let Some(open) = open {
            retire(open).await;
        }
    }
}

/// Closes a connection, if nothing else uses it.
pub async fn retire(open: Rc<Open>) {
    if let Some(session) = Rc::into_inner(open).and_then(|mut open| open.session.take()) {
        session.close().await;
    }
}

/// Why a request failed.
pub enum Problem {
    /// The channel was closed.
    Channel(AmqpError),
    /// The connection was closed.
    Connection(AmqpError),
    /// No answer came in time. The channel is given up; the connection may be alive.
    Silent,
    /// The request was not sent: the connection has no usable channels left.
    UsedUp,
}

/// The state of a connection on which a request was not answered.
pub enum Life {
    /// It answers other requests.
    Alive,
    /// It answers nothing.
    Mute,
    /// It was closed meanwhile, perhaps for this request.
    Ended(AmqpError),
}

impl Open {
    pub fn new(session: Session) -> Self {
        Open {
            session: Some(session),
            idle: RefCell::default(),
            asking: Cell::new(0),
            waiting: Cell::new(0),
            used_up: Cell::new(false),
            reported: Rc::default(),
        }
    }

    /// Why it was lost, if known.
    pub fn reason(&self) -> Option<AmqpError> {
        self.session.as_ref().and_then(Session::reason)
    }

    /// The broker at the other end, if it identified itself.
    pub fn server(&self) -> Option<&Server> {
        self.session.as_ref().and_then(Session::server)
    }

    /// Whether the broker still answers requests that concern no queue. If no further channel can
    /// be opened, the connection counts as alive until heartbeats say otherwise.
    pub async fn sign_of_life(&self) -> Life {
        let Some(session) = &self.session else { return Life::Mute };
        match runtime::timeout(SIGN_OF_LIFE, session.channel()).await {
            Some(Ok(channel)) => {
                self.idle.borrow_mut().push(channel);
                Life::Alive
            }
            Some(Err(trouble @ AmqpError::Lost(_))) => Life::Ended(trouble),
            Some(Err(AmqpError::Refused(_) | AmqpError::Protocol(_))) => Life::Alive,
            None => Life::Mute,
        }
    }

    /// Sends a request and waits this long for the answer.
    pub async fn ask<T>(
        &self,
        limit: Duration,
        question: impl AsyncFn(&Channel, Option<&Server>) -> lapin::Result<T>,
    ) -> Result<T, Problem> {
        self.asking.update(|asking| asking + 1);
        let answer = self.ask_on_a_channel(limit, question).await;
        self.asking.update(|asking| asking - 1);
        answer
    }

    async fn ask_on_a_channel<T>(
        &self,
        limit: Duration,
        question: impl AsyncFn(&Channel, Option<&Server>) -> lapin::Result<T>,
    ) -> Result<T, Problem> {
        self.waiting.update(|waiting| waiting + 1);
        let channel = self.channel().await;
        self.waiting.update(|waiting| waiting - 1);
        let channel = channel?;
        let answer = runtime::timeout(limit, question(&channel, self.server())).await;
        match answer.ok_or(Problem::Silent)? {
            Ok(answer) => {
                self.idle.borrow_mut().push(channel);
                Ok(answer)
            }
            Err(error) => {
                let trouble = AmqpError::from(&error);
                Err(match error.is_amqp_soft_error() {
                    true => Problem::Channel(trouble),
                    false => Problem::Connection(trouble),
                })
            }
        }
    }

    /// A channel that is not in use.
    ///
    /// lapin never forgets the refusal that closed a channel, and returns it again to the next
    /// channel of that number. A refusal to open one is therefore an old one, and the connection is
    /// then used up (`channels_poison` in lapin 4.12.3; there are 2047 numbers).
    async fn channel(&self) -> Result<Channel, Problem> {
        let Some(session) = &self.session else {
            return Err(Problem::Connection(AmqpError::lost("not connected")));
        };
        let mut alone = 0;
        loop {
            if let Some(channel) = self.idle.borrow_mut().pop() {
                return Ok(channel);
            }
            if self.used_up.get() {
                return Err(Problem::UsedUp);
            }
            match session.channel().await {
                Ok(channel) => return Ok(channel),
                Err(AmqpError::Refused(_)) => self.used_up.set(true),
                // The broker's channel_max is reached: another request's channel will soon be free,
                // or the broker will have removed a refused one.
                Err(AmqpError::Protocol(used_up)) if used_up.breach == Breach::Channels => {
                    alone += u32::from(self.asking == self.waiting);
                    if alone > PAUSES {
                        return Err(Problem::Connection(AmqpError::Protocol(used_up)));
                    }
                    runtime::sleep(PAUSE).await;
                }
                Err(trouble) => return Err(Problem::Connection(trouble)),
            }
        }
    }
}
