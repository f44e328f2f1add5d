//! Fetching messages one at a time (basic.get), on a channel's lane.

use crate::delivery::message::Arrived;
use lapin::Channel;
use lapin::types::ShortString;
use rmq_common::amqp_error::AmqpError;
use rmq_common::lane::{Event, Lane};
use rmq_common::message::Name;
use rmq_common::session::Session;
use std::future::poll_fn;

/// A channel for fetching messages.
#[derive(Debug)]
pub struct Getting {
    // Before the channel, which closes when it is dropped.
    lane: Lane,
    channel: Channel,
}

impl Getting {
    /// Uses this channel of `session`.
    pub fn on(session: &Session, channel: Channel) -> Self {
        Getting { lane: session.lane(&channel), channel }
    }

    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// The channel, for other uses.
    pub fn into_channel(self) -> Channel {
        self.channel
    }

    /// A message of `queue`; `None` if none is ready.
    ///
    /// # Errors
    /// The queue does not give any, or the connection is lost.
    pub async fn get(
        &mut self,
        session: &Session,
        queue: &ShortString,
    ) -> Result<Option<Arrived>, AmqpError> {
        // A short string from lapin is never too long.
        self.lane.get(&Name::new(queue.as_str()).unwrap_or_default());
        let answer = async {
            if self.lane.send().is_err() {
                return Err(AmqpError::unexplained());
            }
            loop {
                match poll_fn(|context| self.lane.poll_next(context)).await {
                    Event::Delivered { tag, redelivered, content } => {
                        return Ok(Some(Arrived { tag, redelivered, content }));
                    }
                    Event::Empty => return Ok(None),
                    Event::Closed { code, text } => return Err(AmqpError::closed(code, &text)),
                    Event::Ended => return Err(AmqpError::unexplained()),
                    // Nothing is published or consumed on this channel.
                    Event::Ack { .. }
                    | Event::Nack { .. }
                    | Event::Returned { .. }
                    | Event::Cancelled { .. } => {}
                }
            }
        };
        match session.asker().wait(answer).await {
            Err(error) => Err(session.explained(error).await),
            answer => answer,
        }
    }
}
