//! Where messages come from: a queue that is there, or one of our own for tapping an exchange.

use lapin::Channel;
use lapin::options::{QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use rmq_common::amqp_error::AmqpError;
use rmq_common::session::Session;

/// What a tap holds at most, so that one that is not read does not fill the broker; the oldest go
/// first.
const MOST: i32 = 100_000;

/// Where messages come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// This queue, which is never declared here.
    Queue(ShortString),
    /// A queue of our own, with these bindings, that is gone with its connection.
    Tap { exchange: ShortString, keys: Vec<ShortString> },
}

impl Source {
    /// What it is called in a diagnostic.
    pub fn name(&self) -> &ShortString {
        match self {
            Source::Queue(name) | Source::Tap { exchange: name, .. } => name,
        }
    }

    /// The queue to consume from, made on `channel` where it is our own.
    ///
    /// # Errors
    /// No such exchange, no permission, or the connection is lost.
    pub async fn queue(
        &self,
        session: &Session,
        channel: &Channel,
    ) -> Result<ShortString, AmqpError> {
        let (exchange, keys) = match self {
            Source::Queue(queue) => return Ok(queue.clone()),
            Source::Tap { exchange, keys } => (exchange, keys),
        };
        // A virtual host's default may be another type, which can be neither exclusive nor of the
        // broker's naming.
        let mut arguments = FieldTable::default();
        for (name, value) in [
            ("x-queue-type", AMQPValue::LongString("classic".into())),
            ("x-max-length", AMQPValue::LongInt(MOST)),
            ("x-overflow", AMQPValue::LongString("drop-head".into())),
        ] {
            if let Ok(name) = ShortString::try_new(name) {
                arguments.insert(name, value);
            }
        }
        let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
        let declared = channel.queue_declare(ShortString::default(), options, arguments);
        let queue = session.answer(declared).await?.name().clone();
        for key in keys {
            let bound = channel.queue_bind(
                queue.clone(),
                exchange.clone(),
                key.clone(),
                QueueBindOptions::default(),
                FieldTable::default(),
            );
            session.answer(bound).await?;
        }
        Ok(queue)
    }
}
