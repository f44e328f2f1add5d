//! A connection that publishes: the session and the channel on it, told from as one.

use crate::publisher::{Answers, Publisher};
use lapin::Event;
use lapin::options::QueueDeclareOptions;
use lapin::types::{FieldTable, ShortString};
use rmq_common::amqp_error::{Trouble, reply, trouble};
use rmq_common::runtime;
use rmq_common::session::Session;
use std::time::Duration;

/// How long the look at the queue may take. A queue without a quorum does not answer; what is sent
/// to it then waits for its confirm like anything else.
const LOOK_TIMEOUT: Duration = Duration::from_secs(2);

/// A session and its publisher.
pub struct Link {
    session: Session,
    publisher: Publisher,
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
    /// Opens a channel on `session` to publish with `routing_key`.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn open(session: Session, routing_key: ShortString) -> Result<Self, Trouble> {
        let channel = session.channel().await?;
        let publisher = Publisher::open(channel, routing_key).await?;
        Ok(Link { session, publisher })
    }

    /// Goes on on a new channel, in place of one on which nothing is awaited any more.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn renew(&mut self, routing_key: ShortString) -> Result<(), Trouble> {
        let channel = self.session.channel().await?;
        self.publisher = Publisher::open(channel, routing_key).await?;
        Ok(())
    }

    /// Looks whether the queue is there, before anything is read. Only a clear no counts: a queue
    /// that cannot answer just now may still take messages. (A passive declare changes nothing; from
    /// RabbitMQ 4.3 it needs some permission on the queue, and a refusal is no answer here.)
    ///
    /// # Errors
    /// The queue is not there, or the connection is lost.
    pub async fn look(&self, queue: ShortString) -> Result<(), Trouble> {
        let channel = self.session.channel().await?;
        let options = QueueDeclareOptions { passive: true, ..Default::default() };
        let look = channel.queue_declare(queue, options, FieldTable::default());
        match runtime::timeout(LOOK_TIMEOUT, look).await {
            Some(Err(error)) => match trouble(&error) {
                Trouble::Refused { code, .. } if code != reply::NOT_FOUND => Ok(()),
                trouble => Err(trouble),
            },
            _ => Ok(()),
        }
    }

    /// The publisher.
    pub fn publisher(&mut self) -> &mut Publisher {
        &mut self.publisher
    }

    /// The host at the other end.
    pub fn host(&self) -> &str {
        self.session.host()
    }

    /// Waits for news.
    pub async fn news(&mut self) -> News {
        let Link { session, publisher } = self;
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

    /// Closes the connection; everything is settled.
    pub async fn close(self) {
        self.session.close().await;
    }

    /// Ends the connection without a word: it is lost.
    pub fn cut(self) {
        self.session.cut();
    }
}
