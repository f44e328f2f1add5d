//! The consumers of queues, as the API has collected them.

use super::broker::Http;
use super::json::{each, text};
use super::on_vhost;
use crate::administration::Consumer;
use crate::unanswered::Effect;
use rmq_common::failure::Failure;
use serde_json::Value;
use ureq::http::Method;

const COLUMNS: &str = "?columns=queue.name,channel_details.connection_name,consumer_tag,\
                       prefetch_count,ack_required,active,exclusive";

/// # Errors
/// There is no such virtual host (65), or our user has no access to it (77).
pub fn of_vhost(broker: &Http, vhost: &str) -> Result<Vec<Consumer>, Failure> {
    let answer = broker.send(Effect::Reads, Method::GET, &["consumers", vhost], COLUMNS, None)?;
    each(&on_vhost::body(broker, answer)?, consumer)
}

fn consumer(consumer: &Value) -> Option<Consumer> {
    let is = |key: &str| consumer.get(key).and_then(Value::as_bool);
    let channel = consumer.get("channel_details");
    Some(Consumer {
        queue: text(consumer.get("queue")?, "name")?,
        connection: channel.and_then(|channel| text(channel, "connection_name")),
        tag: text(consumer, "consumer_tag")?,
        prefetch: consumer.get("prefetch_count")?.as_u64()?,
        acknowledges: is("ack_required")?,
        active: is("active").unwrap_or(true),
        exclusive: is("exclusive").unwrap_or(false),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_consumer_whose_channel_is_gone_is_one_still() {
        let answer = json!({"queue": {"name": "q"}, "consumer_tag": "t", "prefetch_count": 5,
                            "ack_required": true, "channel_details": []});
        let read = consumer(&answer).unwrap();
        assert_eq!((&*read.queue, read.connection, read.prefetch), (&b"q"[..], None, 5));
        assert_eq!(consumer(&json!({"queue": {}})), None);
    }
}
