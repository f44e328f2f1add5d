//! The connection to the broker, opened again when it is lost.
//!
//! Declaring is idempotent, so what was under way when the connection broke is simply asked again.

use lapin::Channel;
use lapin::options::QueueDeclareOptions;
use lapin::types::{FieldTable, ShortString};
use rmq_common::amqp_error::{Trouble, trouble};
use rmq_common::connection::Broker;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::duration::Limit;
use rmq_common::failure::Failure;
use rmq_common::retry::{Backoff, Patience};
use rmq_common::runtime;
use rmq_common::server::Server;
use rmq_common::session::Session;
use std::time::Duration;

/// A connection and the one channel on it.
pub struct Link {
    broker: Broker,
    /// `None` once it is lost.
    session: Option<Session>,
    /// `None` after a refusal, which closes the channel, and without a connection.
    channel: Option<Channel>,
    retry: Limit,
    diagnostics: Diagnostics,
}

impl Link {
    /// Connects to `broker`, trying for `retry`.
    ///
    /// # Errors
    /// As [`Broker::connect`].
    pub async fn open(
        mut broker: Broker,
        retry: Limit,
        diagnostics: Diagnostics,
    ) -> Result<Self, Failure> {
        let session = broker.connect(&Patience::new(retry)).await?;
        Ok(Link { broker, session: Some(session), channel: None, retry, diagnostics })
    }

    /// The virtual host.
    pub fn vhost(&self) -> &str {
        self.broker.vhost()
    }

    /// The user's name.
    pub fn user(&self) -> &str {
        self.broker.user()
    }

    /// The broker at the other end, where there is one and it said which it is.
    pub fn server(&self) -> Option<&Server> {
        self.session.as_ref().and_then(Session::server)
    }

    /// Declares `queue`, on a new connection if this one is lost meanwhile. `arguments` are made
    /// for the broker that is asked, which may be another one then. The inner error is about this
    /// queue: the broker refused it, or it kept being lost for as long as `--retry`.
    ///
    /// # Errors
    /// When no connection is to be had within `--retry` (69), or the credentials are refused (77):
    /// then no other queue need be tried.
    pub async fn declare(
        &mut self,
        queue: &ShortString,
        options: QueueDeclareOptions,
        arguments: impl Fn(Option<&Server>) -> FieldTable,
    ) -> Result<Result<lapin::Queue, Trouble>, Failure> {
        // How long nothing has worked, without the time it took to notice.
        let mut patience = Patience::new(self.retry);
        let mut pauses: Option<Backoff> = None;
        loop {
            self.connect(&patience).await?;
            let lost = match self.ask(queue, options, &arguments).await {
                Err(Trouble::Lost(why)) => why,
                Err(refused @ Trouble::Refused { .. }) => {
                    self.channel = None;
                    return Ok(Err(refused));
                }
                Err(broken @ Trouble::Protocol(_)) => {
                    self.cut();
                    return Ok(Err(broken));
                }
                Ok(declared) => return Ok(Ok(declared)),
            };
            self.cut();
            let backoff = pauses.get_or_insert_with(|| {
                patience.progress();
                if !self.retry.is_over(Duration::ZERO) {
                    self.diagnostics.notice(&format!("queue {queue}: {lost}; trying again"));
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

    async fn connect(&mut self, patience: &Patience) -> Result<(), Failure> {
        if self.session.is_none() {
            self.session = Some(self.broker.connect(patience).await?);
        }
        Ok(())
    }

    async fn ask(
        &mut self,
        queue: &ShortString,
        options: QueueDeclareOptions,
        arguments: impl Fn(Option<&Server>) -> FieldTable,
    ) -> Result<lapin::Queue, Trouble> {
        let Some(session) = &self.session else {
            return Err(Trouble::Lost("not connected".to_owned()));
        };
        let channel = match &self.channel {
            Some(channel) => channel,
            None => self.channel.insert(session.channel().await?),
        };
        let declared = channel.queue_declare(queue.clone(), options, arguments(session.server()));
        declared.await.map_err(|error| trouble(&error))
    }

    fn cut(&mut self) {
        self.channel = None;
        if let Some(session) = self.session.take() {
            session.cut();
        }
    }

    /// Ends the connection.
    pub async fn close(self) {
        if let Some(session) = self.session {
            session.close().await;
        }
    }
}
