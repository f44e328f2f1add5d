//! The connection to the broker, opened again when it is lost.
//!
//! Declaring is idempotent, so what was under way when the connection broke is simply asked again.

use crate::refusal::Refusal;
use lapin::Channel;
use lapin::options::QueueDeclareOptions;
use lapin::types::{FieldTable, ShortString};
use rmq_common::amqp_error::{Trouble, trouble};
use rmq_common::connection::{Broker, Session};
use rmq_common::diagnostics::Diagnostics;
use rmq_common::duration::Limit;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::retry::{Backoff, Patience};
use rmq_common::runtime;
use rmq_common::server::Server;

/// A connection and the one channel on it.
pub struct Link {
    broker: Broker,
    session: Session,
    /// `None` after a refusal, which closes the channel.
    channel: Option<Channel>,
    retry: Limit,
    diagnostics: Diagnostics,
}

impl Link {
    /// Connects, trying for `retry`.
    ///
    /// # Errors
    /// As [`Broker::connect`].
    pub async fn open(
        mut broker: Broker,
        retry: Limit,
        diagnostics: Diagnostics,
    ) -> Result<Self, Failure> {
        let session = broker.connect(&Patience::new(retry)).await?;
        Ok(Link { broker, session, channel: None, retry, diagnostics })
    }

    /// The virtual host.
    pub fn vhost(&self) -> &str {
        self.broker.vhost()
    }

    /// The user's name.
    pub fn user(&self) -> &str {
        self.broker.user()
    }

    /// The broker at the other end, where it said which it is.
    pub fn server(&self) -> Option<&Server> {
        self.session.server()
    }

    /// Declares `queue`, on a new connection if this one is lost meanwhile. `arguments` are made
    /// for the broker that is asked, which may be another one then.
    ///
    /// # Errors
    /// When the connection is lost and no other is had within `--retry` (69, 75), or the
    /// credentials are refused now (77).
    pub async fn declare(
        &mut self,
        queue: &ShortString,
        options: QueueDeclareOptions,
        arguments: impl Fn(Option<&Server>) -> FieldTable,
    ) -> Result<Result<lapin::Queue, Refusal>, Failure> {
        // How long nothing has worked; it begins when the first try fails.
        let mut without_progress: Option<(Patience, Backoff)> = None;
        loop {
            let lost = match self.ask(queue, options, arguments(self.server())).await {
                Ok(declared) => return Ok(Ok(declared)),
                Err(Trouble::Refused { code, text }) => {
                    self.channel = None;
                    return Ok(Err(Refusal { code, text }));
                }
                Err(Trouble::Protocol(why)) => return Err(Failure::new(Exit::Software, why)),
                Err(Trouble::Lost(why)) => why,
            };
            let (patience, backoff) = without_progress
                .get_or_insert_with(|| (Patience::new(self.retry), Backoff::default()));
            if patience.is_over() {
                return Err(Failure::new(Exit::TempFail, format!("connection lost: {lost}")));
            }
            let host = self.session.host();
            self.diagnostics.notice(&format!("connection to {host} lost: {lost}; reconnecting"));
            runtime::sleep(backoff.next_pause()).await;
            self.channel = None;
            let session = self.broker.connect(patience).await?;
            std::mem::replace(&mut self.session, session).cut();
        }
    }

    async fn ask(
        &mut self,
        queue: &ShortString,
        options: QueueDeclareOptions,
        arguments: FieldTable,
    ) -> Result<lapin::Queue, Trouble> {
        let channel = match &self.channel {
            Some(channel) => channel,
            None => self.channel.insert(self.session.channel().await?),
        };
        let declared = channel.queue_declare(queue.clone(), options, arguments).await;
        declared.map_err(|error| trouble(&error))
    }

    /// Ends the connection.
    pub async fn close(self) {
        self.session.close().await;
    }
}
