//! What a command is told of its message, in its environment.

use crate::envelope;
use crate::message::Message;
use lapin::types::ShortString;
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

/// Sets the variables, and takes away those that an outer rmq-recv may have set.
pub fn set(command: &mut Command, queue: &str, message: &Message) {
    let properties = &message.properties;
    let text = |value: &Option<ShortString>| value.as_ref().map(ToString::to_string);
    let number = |value: Option<u64>| value.map(|value| value.to_string());
    let headers = properties.headers().as_ref();
    let headers = headers.map(|_| envelope::headers(properties));
    let variables = [
        ("AMQP_QUEUE", Some(queue.to_owned())),
        ("AMQP_EXCHANGE", Some(message.exchange.to_string())),
        ("AMQP_ROUTING_KEY", Some(message.routing_key.to_string())),
        ("AMQP_REDELIVERED", Some(u8::from(message.redelivered).to_string())),
        ("AMQP_DELIVERY_COUNT", number(message.delivery_count())),
        ("AMQP_CONTENT_TYPE", text(properties.content_type())),
        ("AMQP_CONTENT_ENCODING", text(properties.content_encoding())),
        ("AMQP_HEADERS", headers.and_then(|headers| String::from_utf8(headers).ok())),
        ("AMQP_DELIVERY_MODE", number(properties.delivery_mode().map(u64::from))),
        ("AMQP_PRIORITY", number(properties.priority().map(u64::from))),
        ("AMQP_CORRELATION_ID", text(properties.correlation_id())),
        ("AMQP_REPLY_TO", text(properties.reply_to())),
        ("AMQP_EXPIRATION", text(properties.expiration())),
        ("AMQP_MESSAGE_ID", text(properties.message_id())),
        ("AMQP_TIMESTAMP", number(*properties.timestamp())),
        ("AMQP_TYPE", text(properties.kind())),
        ("AMQP_USER_ID", text(properties.user_id())),
        ("AMQP_APP_ID", text(properties.app_id())),
        ("AMQP_CLUSTER_ID", text(properties.cluster_id())),
    ];
    for (name, value) in variables {
        // What the environment cannot hold is left out: a NUL, or too much.
        match value.filter(|value| value.len() <= LONGEST && !value.contains('\0')) {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
}
