//! What a command learns about its message from its environment.

use crate::delivery::envelope;
use crate::delivery::message::Message;
use rmq_common::message::{PROPERTIES, Property};
use rmq_common::service_manager;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

/// Linux accepts at most 128 KiB for one variable (execve(2)), including its name.
const LONGEST: usize = 120 << 10;

/// Variables that contain a password or the cookie for our own connections.
const SECRETS: [&str; 3] = ["AMQP_URL", "RABBITMQ_API_URL", "RABBITMQ_ERLANG_COOKIE"];

/// Removes from the command's environment what gives access to the broker: we cannot know what the
/// command starts, logs or shows on a status page.
pub fn take_secrets(command: &mut Command) {
    for name in SECRETS {
        command.env_remove(name);
    }
}

/// Sets the variables, and removes those that an outer rmq-recv may have set and those with which
/// the command could speak to the service manager in our name. `count` is the number of the
/// delivery in this run: tags start again with each connection.
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
        // What the environment cannot hold is left out: a value with a NUL, or one that is too
        // long.
        match value.filter(|value| value.len() <= LONGEST && !value.contains(&0)) {
            Some(value) => command.env(name, OsStr::from_bytes(&value)),
            None => command.env_remove(name),
        };
    }
}
