//! What a command is told of its message, in its environment.

use crate::delivery::envelope;
use crate::delivery::message::Message;
use rmq_common::message::{PROPERTIES, Property};
use rmq_common::service_manager;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

/// Linux takes no more than 128 KiB for one variable (execve(2)); with its name it is less.
const LONGEST: usize = 120 << 10;

/// What has a password or the cookie in it, and is ours to connect with.
const SECRETS: [&str; 3] = ["AMQP_URL", "RABBITMQ_API_URL", "RABBITMQ_ERLANG_COOKIE"];

/// Removes from the command's environment what leads to the broker: what a command starts, writes
/// to a log or shows in a page of its state is not ours to know.
pub fn take_secrets(command: &mut Command) {
    for name in SECRETS {
        command.env_remove(name);
    }
}

/// Sets the variables, and takes away those that an outer rmq-recv may have set, and what would let
/// the command speak to the service manager for us. `count` is the
/// number of the delivery in this run: tags begin anew with each connection.
pub fn set(command: &mut Command, queue: &str, count: u64, message: &Message) {
    command.env_remove(service_manager::SOCKET);
    let number = |value: Option<u64>| value.map(|value| value.to_string().into_bytes());
    let properties = &message.properties;
    let first = (!message.redelivered).then_some(0);
    let ours = [
        ("AMQP_QUEUE", Some(queue.as_bytes().to_vec())),
        ("AMQP_EXCHANGE", Some(message.exchange.as_bytes().to_vec())),
        ("AMQP_ROUTING_KEY", Some(message.routing_key.as_bytes().to_vec())),
        ("AMQP_REDELIVERED", number(Some(message.redelivered.into()))),
        ("AMQP_DELIVERY_TAG", number(Some(count))),
        ("AMQP_DELIVERY_COUNT", number(message.returns().or(first))),
    ];
    let ours = ours.into_iter().map(|(name, value)| (name.to_owned(), value));
    let theirs = PROPERTIES.iter().map(|(name, property)| {
        let value = match property {
            Property::Text(text) => properties.get(*text).map(|name| name.as_bytes().to_vec()),
            Property::Octet(octet) => number(properties.octet(*octet).map(u64::from)),
            Property::Timestamp => number(properties.timestamp),
            Property::Headers => properties.headers.as_ref().map(|_| envelope::headers(properties)),
        };
        (format!("AMQP_{}", name.to_uppercase()), value)
    });
    for (name, value) in ours.chain(theirs) {
        // What the environment cannot hold is left out: a NUL, or too much.
        match value.filter(|value| value.len() <= LONGEST && !value.contains(&0)) {
            Some(value) => command.env(name, OsStr::from_bytes(&value)),
            None => command.env_remove(name),
        };
    }
}
