//! A connection that publishes: the session and the channel on it, told from as one.

use crate::publisher::{Answers, Publisher};
use crate::record::Route;
use futures_util::FutureExt;
use lapin::options::{ExchangeDeclareOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Event, ExchangeKind};
use rmq_common::amqp_error::{Trouble, reply, trouble};
use rmq_common::runtime;
use rmq_common::session::Session;
use std::time::{Duration, Instant};

/// How long the look at a queue or an exchange may take. A queue without a quorum does not answer; what is sent
/// to it then waits for its confirm like anything else.
const LOOK_TIMEOUT: Duration = Duration::from_secs(2);

/// A session and its publisher.
pub struct Link {
    session: Session,
    publisher: Publisher,
    mandatory: bool,
}

/// What a link has to say.
#[derive(Debug)]
pub enum News {
    /// The broker answered what was published.
    Answers(Answers),
    /// The broker blocks the connection, for this reason.
    Blocked(String),
    /// The broker does not block it any more.
    Unblocked,
    /// The connection is gone.
    Lost(Trouble),
}

impl Link {
    /// Opens a channel on `session` to publish on, until `by`. With `mandatory`, what no queue takes
    /// is returned.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn open(
        session: Session,
        mandatory: bool,
        by: Option<Instant>,
    ) -> Result<Self, Trouble> {
        match runtime::first(open(&session, mandatory), too_late(by)).await {
            Ok(publisher) => Ok(Link { session, publisher, mandatory }),
            Err(trouble) => {
                session.cut();
                Err(trouble)
            }
        }
    }

    /// Goes on on a new channel, in place of one on which nothing is awaited any more; until `by`,
    /// because a blocked connection does not even ask for it.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn renew(&mut self, by: Option<Instant>) -> Result<(), Trouble> {
        let opened = runtime::first(open(&self.session, self.mandatory), too_late(by)).await;
        self.publisher = opened?;
        Ok(())
    }

    /// Looks whether what a route begins with is there: the queue, or the exchange. Publishing to
    /// an exchange that is not there would close the channel without saying over which message.
    /// Only a clear no counts: a queue that cannot answer just now may still take messages. (A
    /// passive declare changes nothing; from RabbitMQ 4.3 it needs some permission, and a refusal
    /// is no answer here.)
    ///
    /// # Errors
    /// It is not there, or the connection is lost.
    pub async fn look(&self, route: &Route) -> Result<(), Trouble> {
        let look = async {
            let channel = self.session.channel().await?;
            let looked = if route.is_to_queue() {
                let options = QueueDeclareOptions { passive: true, ..Default::default() };
                let (queue, table) = (route.routing_key.clone(), FieldTable::default());
                channel.queue_declare(queue, options, table).await.map(|_| ())
            } else {
                let options = ExchangeDeclareOptions { passive: true, ..Default::default() };
                let (exchange, kind) = (route.exchange.clone(), ExchangeKind::default());
                channel.exchange_declare(exchange, kind, options, FieldTable::default()).await
            };
            looked.map_err(|error| trouble(&error))?;
            // Many exchanges may be looked at. Nothing depends on the answer, nor waits for it.
            let ok = ShortString::try_new("OK").unwrap_or_default();
            let _ = channel.close(200, ok).now_or_never();
            Ok(())
        };
        match runtime::timeout(LOOK_TIMEOUT, look).await {
            Some(Err(Trouble::Refused { code, .. })) if code != reply::NOT_FOUND => Ok(()),
            Some(looked) => looked,
            None => Ok(()),
        }
    }

    /// The publisher.
    pub fn publisher(&mut self) -> &mut Publisher {
        &mut self.publisher
    }

    /// The largest frame in bytes.
    pub fn frame_max(&self) -> u32 {
        self.session.frame_max()
    }

    /// The host at the other end.
    pub fn host(&self) -> &str {
        self.session.host()
    }

    /// Waits for news.
    pub async fn news(&mut self) -> News {
        let Link { session, publisher, .. } = self;
        let events = async {
            loop {
                match session.event().await {
                    Event::ConnectionBlocked(reason) => return News::Blocked(reason),
                    Event::ConnectionUnblocked => return News::Unblocked,
                    Event::Error(error) => return News::Lost(trouble(&error)),
                    _ => {}
                }
            }
        };
        let answers = async { News::Answers(publisher.answers().await) };
        // Answers first: a connection that ends may have confirmed much just before.
        runtime::first(answers, events).await
    }

    /// As [`Session::explained`].
    pub async fn explained(&self, trouble: Trouble) -> Trouble {
        self.session.explained(trouble).await
    }

    /// Closes the connection; everything is settled.
    pub async fn close(self) {
        self.session.close().await;
    }

    /// Ends the connection without a word: it is lost.
    pub fn cut(self) {
        self.session.cut();
    }
}

async fn open(session: &Session, mandatory: bool) -> Result<Publisher, Trouble> {
    let opened = async {
        Publisher::open(session.channel().await?, mandatory, session.held().clone()).await
    }
    .await;
    match opened {
        Err(trouble) => Err(session.explained(trouble).await),
        opened => opened,
    }
}

async fn too_late<T>(by: Option<Instant>) -> Result<T, Trouble> {
    runtime::sleep_until(by).await;
    Err(Trouble::unanswered())
}
