//! A message as the broker delivers it.

use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, ShortString};
use rmq_common::lane::Content;

/// A delivered message.
#[derive(Debug)]
pub struct Message {
    /// Its delivery tag, by which it is acknowledged on its channel.
    pub tag: u64,
    /// The broker has delivered it before, to us or to somebody else.
    pub redelivered: bool,
    /// The exchange it was published to; empty for the default one.
    pub exchange: ShortString,
    /// The routing key it was published with.
    pub routing_key: ShortString,
    /// Its properties and headers.
    pub properties: BasicProperties,
    /// Its bytes.
    pub body: Vec<u8>,
}

impl From<Delivery> for Message {
    fn from(delivery: Delivery) -> Self {
        Message {
            tag: delivery.delivery_tag,
            redelivered: delivery.redelivered,
            exchange: delivery.exchange,
            routing_key: delivery.routing_key,
            properties: delivery.properties,
            body: delivery.data,
        }
    }
}

/// A delivered message as it came, of which as little is read as its use needs.
#[derive(Debug)]
pub struct Arrived {
    /// Its delivery tag, by which it is acknowledged on its channel.
    pub tag: u64,
    /// The broker has delivered it before, to us or to somebody else.
    pub redelivered: bool,
    /// The message.
    pub content: Content,
}

impl Arrived {
    /// Whether it came to the consumer with this tag.
    pub fn is_to(&self, consumer: &ShortString) -> bool {
        self.content.consumer() == consumer.as_str().as_bytes()
    }

    /// All of it, read.
    ///
    /// # Errors
    /// It is not AMQP, or has a name that is not UTF-8.
    pub fn message(&self) -> Result<Message, String> {
        let content = &self.content;
        let short = |bytes| ShortString::try_new(std::str::from_utf8(bytes).ok()?).ok();
        let read = || {
            Some(Message {
                tag: self.tag,
                redelivered: self.redelivered,
                exchange: short(content.exchange())?,
                routing_key: short(content.routing_key())?,
                properties: content.properties()?,
                body: content.body().into_owned(),
            })
        };
        read().ok_or_else(|| {
            "the broker sent what is not AMQP 0-9-1, or a short string that is not UTF-8".to_owned()
        })
    }

    /// What its headers count.
    pub fn counts(&self) -> Counts {
        let properties = match self.content.has_headers() {
            true => self.content.properties().unwrap_or_default(),
            false => return Counts::default(),
        };
        Counts {
            deliveries: whole_number(&properties, "x-delivery-count"),
            offset: whole_number(&properties, "x-stream-offset"),
        }
    }
}

/// What a message's headers count.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// How often it came back to its queue, where that counts: quorum queues do.
    pub deliveries: Option<u64>,
    /// Its offset, where it comes from a stream.
    pub offset: Option<u64>,
}

impl Message {
    /// How often it came back to its queue, where that counts: quorum queues do.
    pub fn delivery_count(&self) -> Option<u64> {
        whole_number(&self.properties, "x-delivery-count")
    }

    /// Its offset, where it comes from a stream.
    pub fn stream_offset(&self) -> Option<u64> {
        whole_number(&self.properties, "x-stream-offset")
    }
}

fn whole_number(properties: &BasicProperties, header: &str) -> Option<u64> {
    match properties.headers().as_ref()?.inner().get(header)? {
        AMQPValue::ShortShortInt(number) => u64::try_from(*number).ok(),
        AMQPValue::ShortShortUInt(number) => Some(u64::from(*number)),
        AMQPValue::ShortInt(number) => u64::try_from(*number).ok(),
        AMQPValue::ShortUInt(number) => Some(u64::from(*number)),
        AMQPValue::LongInt(number) => u64::try_from(*number).ok(),
        AMQPValue::LongUInt(number) => Some(u64::from(*number)),
        AMQPValue::LongLongInt(number) => u64::try_from(*number).ok(),
        AMQPValue::Timestamp(number) => Some(*number),
        _ => None,
    }
}
