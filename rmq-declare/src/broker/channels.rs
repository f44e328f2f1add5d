//! An open connection and the channels on it, each of which is asked one question at a time.

use lapin::Channel;
use rmq_common::amqp_error::{AmqpError, Breach};
use rmq_common::runtime;
use rmq_common::server::Server;
use rmq_common::session::Session;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// Between two looks for a channel.
const PAUSE: Duration = Duration::from_millis(2);
/// How many of them, when nobody has one that could become free.
const PAUSES: u32 = 500;
/// How long a connection that lives takes to open a channel, which no queue can delay.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);

/// An open connection; ended when nobody uses it any more.
pub struct Open {
    /// `None` only while it is being closed.
    session: Option<Session>,
    /// Channels that nobody uses.
    idle: RefCell<Vec<Channel>>,
    /// How many ask something, or wait for a channel to ask on.
    asking: Cell<usize>,
    /// How many of them wait for a channel.
    waiting: Cell<usize>,
    /// Whether no channel can be opened any more.
    used_up: Cell<bool>,
    /// Whether its loss has been told.
    pub reported: Rc<Cell<bool>>,
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            session.cut();
        }
    }
}

/// The connection that is in use; none before the first, and once it is lost.
#[derive(Default)]
pub struct Slot(RefCell<Option<Rc<Open>>>);

impl Slot {
    /// The connection.
    pub fn get(&self) -> Option<Rc<Open>> {
        self.0.borrow().clone()
    }

    /// Another one is in use from now on.
    pub fn put(&self, open: Rc<Open>) {
        *self.0.borrow_mut() = Some(open);
    }

    /// Forgets a connection, if that is not done already.
    pub fn lose(&self, lost: &Rc<Open>) {
        let mut open = self.0.borrow_mut();
        if open.as_ref().is_some_and(|open| Rc::ptr_eq(open, lost)) {
            *open = None;
        }
    }

    /// Ends the connection in good order.
    pub async fn close(&self) {
        let open = self.0.take();
        if let Some(open) = open {
            retire(open).await;
        }
    }
}

/// Ends a connection in good order, if nobody else uses it any more.
pub async fn retire(open: Rc<Open>) {
    if let Some(session) = Rc::into_inner(open).and_then(|mut open| open.session.take()) {
        session.close().await;
    }
}

/// Why a question was not answered as hoped.
pub enum Problem {
    /// The channel is over with it.
    Channel(AmqpError),
    /// The connection is.
    Connection(AmqpError),
    /// No answer came in time. The channel is given up; the connection may live.
    Silent,
    /// Nothing has been asked: the connection has no channels left that can be used.
    UsedUp,
}

impl Open {
    /// A connection that nobody has used yet.
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

    /// Why it was lost, where that is known.
    pub fn reason(&self) -> Option<AmqpError> {
        self.session.as_ref().and_then(Session::reason)
    }

    /// The broker at the other end, where it said which it is.
    pub fn server(&self) -> Option<&Server> {
        self.session.as_ref().and_then(Session::server)
    }

    /// Whether the broker still answers on this connection what concerns no queue. Where no further
    /// channel can be had it is taken to, until heartbeats say otherwise.
    pub async fn is_alive(&self) -> bool {
        let Some(session) = &self.session else { return false };
        match runtime::timeout(SIGN_OF_LIFE, session.channel()).await {
            Some(Ok(channel)) => {
                self.idle.borrow_mut().push(channel);
                true
            }
            Some(Err(AmqpError::Lost(_))) | None => false,
            Some(Err(AmqpError::Refused(_) | AmqpError::Protocol(_))) => true,
        }
    }

    /// Asks something, and waits so long for the answer.
    ///
    /// # Errors
    /// When the answer is no, or there is none.
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

    /// A channel that nobody uses.
    ///
    /// lapin never forgets the refusal that closed a channel, and gives it once more to the next
    /// channel of that number: a refusal of opening one is somebody else's, from long ago, and the
    /// connection is then used up (`channels_poison` in lapin 4.12.3; there are 2047 numbers).
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
                // The broker's channel_max is reached: somebody's channel will be free soon, or one
                // that was refused is forgotten.
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
