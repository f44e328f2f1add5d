//! Where messages come from: an existing queue, or a queue of our own that taps an exchange.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, ExchangeKind};
use rmq_common::amqp_error::{AmqpError, Missing, Refusal};
use rmq_common::runtime;
use rmq_common::session::Session;
use std::time::Duration;

/// The most messages in a tap, so that an unread one does not fill the broker; the oldest go first.
const MOST: i32 = 100_000;
/// How long a question may take whose answer only improves a message.
const AN_ANSWER: Duration = Duration::from_secs(2);

/// Where messages come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// This queue, which is never declared.
    Queue(ShortString),
    /// A queue of our own, with these bindings, that is deleted with its connection.
    Tap { exchange: ShortString, keys: Vec<ShortString> },
}

impl Source {
    /// Its name in diagnostics.
    pub fn name(&self) -> &ShortString {
        match self {
            Source::Queue(name) | Source::Tap { exchange: name, .. } => name,
        }
    }

    /// A hint for an error: a queue that does not exist may be an exchange.
    pub async fn hint(&self, session: &Session, error: &AmqpError) -> String {
        let (Source::Queue(name), AmqpError::Refused(refused)) = (self, error) else {
            return String::new();
        };
        let is_missing = matches!(refused.what, Refusal::NotFound(Missing::Queue));
        if !is_missing || name.as_str().is_empty() || session.has_one_channel() {
            return String::new();
        }
        let ask = async {
            let channel = session.channel().await.ok()?;
            let options = ExchangeDeclareOptions { passive: true, ..Default::default() };
            let (kind, arguments) = (ExchangeKind::Direct, FieldTable::default());
            let asked = channel.exchange_declare(name.clone(), kind, options, arguments);
            session.answer(asked).await.ok()
        };
        match runtime::timeout(AN_ANSWER, ask).await.flatten() {
            Some(()) => format!(" (it is an exchange: rmq-recv -e {name})"),
            None => String::new(),
        }
    }

    /// The queue to consume from; declared on `channel` if it is our own.
    ///
    /// # Errors
    /// There is no such exchange, no permission, or the connection is lost.
    pub async fn queue(
        &self,
        session: &Session,
        channel: &Channel,
    ) -> Result<ShortString, AmqpError> {
        let (exchange, keys) = match self {
            Source::Queue(queue) => return Ok(queue.clone()),
            Source::Tap { exchange, keys } => (exchange, keys),
        };
        // A virtual host's default type may be one that cannot be exclusive, or named by the
        // broker.
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
