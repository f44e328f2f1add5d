//! A message as the broker delivers it.

use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, ShortString};

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

impl Message {
    /// How often it came back to its queue, where that counts: quorum queues do.
    pub fn delivery_count(&self) -> Option<u64> {
        self.whole_number("x-delivery-count")
    }

    /// Its offset, where it comes from a stream.
    pub fn stream_offset(&self) -> Option<u64> {
        self.whole_number("x-stream-offset")
    }

    fn whole_number(&self, header: &str) -> Option<u64> {
        match self.properties.headers().as_ref()?.inner().get(header)? {
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
}
