//! A message as the broker delivers it.

use lapin::types::ShortString;
use rmq_common::lane::Content;
use rmq_common::message::{Name, Properties};

#[derive(Debug)]
pub struct Message {
    /// Its delivery tag, by which it is acknowledged on its channel.
    pub tag: u64,
    /// Whether the broker has delivered it before, to us or to another client.
    pub redelivered: bool,
    /// The exchange it was published to; empty for the default one.
    pub exchange: Name,
    /// The routing key it was published with.
    pub routing_key: Name,
    pub properties: Properties,
    pub body: Vec<u8>,
}

/// A delivered message as it arrived; only as much of it is parsed as its use needs.
#[derive(Debug)]
pub struct Arrived {
    /// Its delivery tag, by which it is acknowledged on its channel.
    pub tag: u64,
    /// Whether the broker has delivered it before, to us or to another client.
    pub redelivered: bool,
    pub content: Content,
}

impl Arrived {
    /// Whether it came to the consumer with this tag.
    pub fn is_to(&self, consumer: &ShortString) -> bool {
        self.content.consumer() == consumer.as_str().as_bytes()
    }

    /// The whole message, parsed.
    ///
    /// # Errors
    /// Its properties are malformed.
    pub fn message(&self) -> Result<Message, String> {
        let content = &self.content;
        let read = || {
            Some(Message {
                tag: self.tag,
                redelivered: self.redelivered,
                exchange: Name::new(content.exchange()).ok()?,
                routing_key: Name::new(content.routing_key()).ok()?,
                properties: content.properties()?,
                body: content.body().into_owned(),
            })
        };
        read().ok_or_else(|| "the broker sent properties that are not AMQP 0-9-1".to_owned())
    }

    /// The counts in its headers.
    pub fn counts(&self) -> Counts {
        let count = |name: &str| self.content.header(name.as_bytes())?.whole_number();
        Counts { deliveries: count(DELIVERY_COUNT), offset: count(STREAM_OFFSET) }
    }
}

/// The header in which a quorum queue counts how often a message came back to it.
const DELIVERY_COUNT: &str = "x-delivery-count";
/// The header in which RabbitMQ, from 4.0 on, counts how often a quorum queue gave a message to a
/// consumer before this delivery, even if not a counted [delivery](DELIVERY_COUNT).
const ACQUIRED_COUNT: &str = "x-acquired-count";
/// The header that has a message's offset in its stream.
const STREAM_OFFSET: &str = "x-stream-offset";

/// The counts in a message's headers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// How often it came back to its queue, if the queue counts that: quorum queues do.
    pub deliveries: Option<u64>,
    /// Its offset, if it comes from a stream.
    pub offset: Option<u64>,
}

impl Message {
    /// How often it came back to its queue, if the queue counts that: quorum queues do.
    pub fn delivery_count(&self) -> Option<u64> {
        self.count(DELIVERY_COUNT)
    }

    /// How often it came back, counted as a delivery or not, as far as the queue shows it.
    pub fn returns(&self) -> Option<u64> {
        self.delivery_count().max(self.count(ACQUIRED_COUNT))
    }

    /// Its offset, if it comes from a stream.
    pub fn stream_offset(&self) -> Option<u64> {
        self.count(STREAM_OFFSET)
    }

    fn count(&self, header: &str) -> Option<u64> {
        let mut fields = self.properties.headers.as_ref()?.fields();
        let field = fields.find(|field| field.name == header.as_bytes())?;
        field.value.whole_number()
    }
}
