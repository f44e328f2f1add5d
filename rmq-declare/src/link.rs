//! The connection to the broker, opened again when it is lost, and the channels on it.
//!
//! Whoever asks takes a channel that nobody uses, or opens one, and gives it back unless the answer
//! was a refusal, which closes it. So many may ask at once, and one refusal disturbs nobody else.
//! Everything asked here is idempotent: what was under way when the connection broke is asked again.

use futures_util::lock::Mutex;
use lapin::Channel;
use rmq_common::amqp_error::{Trouble, UNEXPLAINED};
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

/// Between two looks for a channel.
const PAUSE: Duration = Duration::from_millis(2);
/// How many of them, when nobody has one that could become free.
const PAUSES: u32 = 500;

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
    /// Channels that nobody uses.
    idle: RefCell<Vec<Channel>>,
    /// How many ask something, or wait for a channel to ask on.
    asking: Cell<usize>,
    /// How many of them wait for a channel.
    waiting: Cell<usize>,
    /// Whether no channel can be opened any more.
    used_up: Cell<bool>,
    /// Whether its loss has been told.
    told: Rc<Cell<bool>>,
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
            let (mut lost, told) = match open.ask(&question).await {
                Ok(answer) => return Ok(Ok(answer)),
                Err(Problem::UsedUp) => {
                    self.lose(&open);
                    retire(open).await;
                    continue;
                }
                Err(Problem::Channel(Trouble::Lost(why))) => (why, Rc::default()),
                Err(Problem::Channel(trouble)) => return Ok(Err(trouble)),
                Err(Problem::Connection(Trouble::Lost(why))) => {
                    self.lose(&open);
                    (why, open.told.clone())
                }
                Err(Problem::Connection(trouble)) => {
                    self.lose(&open);
                    return Ok(Err(trouble));
                }
            };
            let is_first = pauses.is_none();
            let backoff = pauses.get_or_insert_with(|| {
                patience.progress();
                Backoff::default()
            });
            // One of many who lose the same connection tells it, and who knows why goes first.
            let tell = |lost: &str| {
                if is_first && !self.retry.is_over(Duration::ZERO) && !told.replace(true) {
                    self.diagnostics.notice(&format!("{what}: {lost}; trying again"));
                }
            };
            if lost != UNEXPLAINED {
                tell(&lost);
            }
            if patience.is_over() {
                return Ok(Err(Trouble::Lost(lost)));
            }
            let pause = backoff.next_pause();
            runtime::sleep(patience.left().map_or(pause, |left| left.min(pause))).await;
            if let (UNEXPLAINED, Some(Trouble::Lost(why))) = (&*lost, open.reason()) {
                lost = why;
            }
            tell(&lost);
        }
    }

    async fn connect(&self, patience: &Patience) -> Result<Rc<Open>, Failure> {
        let mut broker = self.broker.lock().await;
        // Somebody else may have connected while this one waited.
        if let Some(open) = &*self.open.borrow() {
            return Ok(open.clone());
        }
        let session = Some(broker.connect(patience).await?);
        let open = Rc::new(Open {
            session,
            idle: RefCell::default(),
            asking: Cell::new(0),
            used_up: Cell::new(false),
            waiting: Cell::new(0),
            told: Rc::default(),
        });
        *self.open.borrow_mut() = Some(open.clone());
        Ok(open)
    }

    /// Forgets a connection, if that is not done already.
    fn lose(&self, lost: &Rc<Open>) {
        let mut open = self.open.borrow_mut();
        if open.as_ref().is_some_and(|open| Rc::ptr_eq(open, lost)) {
            *open = None;
        }
    }

    /// Ends the connection.
    pub async fn close(self) {
        if let Some(open) = self.open.take() {
            retire(open).await;
        }
    }
}

/// Ends a connection in good order, if nobody else uses it any more.
async fn retire(open: Rc<Open>) {
    if let Some(session) = Rc::into_inner(open).and_then(|mut open| open.session.take()) {
        session.close().await;
    }
}

/// Why a question was not answered as hoped.
enum Problem {
    /// The channel is over with it.
    Channel(Trouble),
    /// The connection is.
    Connection(Trouble),
    /// Nothing has been asked: the connection has no channels left that can be used.
    UsedUp,
}

impl Open {
    fn reason(&self) -> Option<Trouble> {
        self.session.as_ref().and_then(Session::reason)
    }

    fn server(&self) -> Option<&Server> {
        self.session.as_ref().and_then(Session::server)
    }

    async fn ask<T>(
        &self,
        question: impl AsyncFn(&Channel, Option<&Server>) -> lapin::Result<T>,
    ) -> Result<T, Problem> {
        self.asking.update(|asking| asking + 1);
        let answer = self.ask_on_a_channel(question).await;
        self.asking.update(|asking| asking - 1);
        answer
    }

    async fn ask_on_a_channel<T>(
        &self,
        question: impl AsyncFn(&Channel, Option<&Server>) -> lapin::Result<T>,
    ) -> Result<T, Problem> {
        self.waiting.update(|waiting| waiting + 1);
        let channel = self.channel().await;
        self.waiting.update(|waiting| waiting - 1);
        let channel = channel?;
        let closes_channel = Cell::new(false);
        let asked = async {
            question(&channel, self.server()).await.inspect_err(|error| {
                closes_channel.set(error.is_amqp_soft_error());
            })
        };
        let answer = answer(asked).await;
        answer.inspect(|_| self.idle.borrow_mut().push(channel)).map_err(|trouble| {
            match closes_channel.get() {
                true => Problem::Channel(trouble),
                false => Problem::Connection(trouble),
            }
        })
    }

    /// A channel that nobody uses.
    ///
    /// lapin never forgets the refusal that closed a channel, and gives it once more to the next
    /// channel of that number: a refusal of opening one is somebody else's, from long ago, and the
    /// connection is then used up (`channels_poison` in lapin 4.12.3; there are 2047 numbers).
    async fn channel(&self) -> Result<Channel, Problem> {
        let Some(session) = &self.session else {
            return Err(Problem::Connection(Trouble::Lost("not connected".to_owned())));
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
                Err(Trouble::Refused { .. }) => self.used_up.set(true),
                // The broker's channel_max is reached: somebody's channel will be free soon, or one
                // that was refused is forgotten.
                Err(Trouble::Protocol(why)) if why.contains("number of channels") => {
                    alone += u32::from(self.asking == self.waiting);
                    if alone > PAUSES {
                        return Err(Problem::Connection(Trouble::Protocol(why)));
                    }
                    runtime::sleep(PAUSE).await;
                }
                Err(trouble) => return Err(Problem::Connection(trouble)),
            }
        }
    }
}
