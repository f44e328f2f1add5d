//! One record of the input, and the message it becomes.

use bytes::Bytes;
use rmq_common::failure::Failure;
use rmq_common::message::{Name, Properties};
use std::sync::Arc;

/// What the input holds, one after another.
#[derive(Debug)]
pub enum Item {
    Record(Record),
    /// A record that cannot be sent.
    Bad(Bad),
    /// More of a record that is too long to be held, as it is in the input.
    Rest {
        bytes: Bytes,
        /// Whether there is more of it.
        more: bool,
    },
}

/// A record that cannot be sent.
#[derive(Debug)]
pub struct Bad {
    /// Its number in the input, from 1.
    pub number: u64,
    /// Its bytes.
    pub raw: Raw,
    /// What is wrong with it.
    pub why: Failure,
}

/// The bytes of a record that cannot be sent.
#[derive(Debug)]
pub enum Raw {
    /// All of it, without its end.
    Whole(Bytes),
    /// As it stands in the input, because it is too long to be held; the rest follows if there is
    /// `more`.
    Begun {
        /// Its first bytes.
        bytes: Bytes,
        /// Whether there is more of it.
        more: bool,
    },
}

#[derive(Clone, Debug)]
pub struct Record {
    /// Its number in the input, from 1.
    pub number: u64,
    /// Its bytes as they stand in the input, without its end.
    pub raw: Bytes,
    /// The delivery it stands for, where its envelope names one and says that nothing more comes
    /// of it.
    pub delivery: Option<Arc<str>>,
    /// What to send; `None` if a filter dropped the delivery's message.
    pub message: Option<Message>,
}

impl Record {
    /// Roughly how much memory it takes.
    pub fn size(&self) -> usize {
        let own = |body: &Bytes| !self.raw.as_ptr_range().contains(&body.as_ptr());
        let body = self.message.as_ref().map(|message| &message.body).filter(|body| own(body));
        self.raw.len() + body.map_or(0, Bytes::len)
    }
}

/// A message to publish.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Where it goes.
    pub route: Arc<Route>,
    pub properties: Arc<Properties>,
    /// A record is kept until it is confirmed, so a body is mostly a part of its record.
    pub body: Bytes,
}

/// Where a message goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Route {
    /// The exchange; the default one has the empty name.
    pub exchange: Name,
    /// The routing key; with the default exchange, the queue.
    pub routing_key: Name,
}

impl Route {
    /// Whether it leads straight to a queue, through the default exchange.
    pub fn is_to_queue(&self) -> bool {
        self.exchange.is_empty()
    }

    /// Whether it is the address of a requester that waits for a reply (Direct Reply-to). It is not
    /// a queue: other nodes know none of that name, and up to 4.0 RabbitMQ returns a mandatory
    /// message that it has delivered there.
    pub fn is_to_requester(&self) -> bool {
        self.is_to_queue() && self.routing_key.as_bytes().starts_with(b"amq.rabbitmq.reply-to.")
    }

    /// The message for a missing queue or exchange.
    pub fn missing(&self, vhost: &str) -> String {
        let exchange = self.exchange.shown();
        if self.is_to_queue() {
            let routing_key = self.routing_key.shown();
            format!("publish to {routing_key}: no such queue in vhost {vhost}")
        } else {
            format!("publish to exchange {exchange}: no such exchange in vhost {vhost}")
        }
    }

    /// How diagnostics name it.
    pub fn shown(&self) -> String {
        let Route { exchange, routing_key } = self;
        let [name, key] = [exchange, routing_key].map(Name::shown);
        match (exchange.is_empty(), routing_key.is_empty()) {
            (true, _) => key,
            (_, true) => format!("exchange {name}"),
            _ => format!("exchange {name} with key {key}"),
        }
    }
}
