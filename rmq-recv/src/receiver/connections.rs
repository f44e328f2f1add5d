//! From the first connection to the last: serves, and connects again, until something stops it.

use crate::command::finish::finish;
use crate::receiver::lasting::Receiver;
use crate::receiver::serve::{End, serve};
use crate::receiver::tally::Tally;
use crate::stops::Stop;
use rmq_common::duration::Limit;
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;
use rmq_common::retry::Backoff;
use rmq_common::session::Session;

impl Receiver {
    /// Serves `session`, and further ones after it, until something stops it.
    pub async fn run(mut self, session: Session) -> (Result<Ending, Failure>, Tally) {
        let mut session = Some(session);
        let mut backoff = Backoff::default();
        let stop = loop {
            let connected = match session.take() {
                Some(session) => Ok(session),
                None => self.reconnect().await,
            };
            let acknowledged = self.tally.acknowledged;
            let session = match connected {
                Ok(session) => session,
                Err(stop) => break stop,
            };
            let host = session.host().to_owned();
            match serve(&mut self, session).await {
                End::Stop(stop) => break stop,
                End::Lost(why) => {
                    self.report_lost(&host, &why);
                    if self.tally.acknowledged > acknowledged {
                        backoff.reset();
                    }
                    if let Some(limit) = self.earlier.lost() {
                        let limit = match limit {
                            Limit::For(limit) if limit.is_zero() => String::new(),
                            limit => format!(" (--retry {limit})"),
                        };
                        let text = format!("receive from {}: {why}{limit}", self.name());
                        // The broker was reached.
                        break Stop::Failed(Failure::new(Exit::TempFail, text));
                    }
                    // Each connection that ends without an acknowledgement costs its messages a
                    // delivery, and quorum queues count those, so the next one comes later.
                    if let Some(stop) = self.pause(backoff.next_pause()).await {
                        break stop;
                    }
                }
            }
        };
        // After a lost connection, some may still run.
        let stop = match self.sink.commands_mut() {
            Some(commands) => finish(commands, stop, &self.stops, |_, _| None).await,
            None => stop,
        };
        (stop.outcome(self.name().as_str(), self.hand.left()), self.tally.at_the_end())
    }
}
