//! What a queue does with what is put back, as far as the broker says.
//!
//! The question is a declaration that can only be refused: no quorum queue has a text for a limit,
//! and none that could be made has the priorities of a classic one. So a queue that is deleted in
//! that instant is not made again. RabbitMQ compares the limit before the priorities (3.10 to 4.3);
//! what it compares before the limit is taken over, one argument a round.

use crate::difference::{difference, set, text};
use crate::returns::Returns;
use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use rmq_common::amqp_error::{Trouble, reply};
use rmq_common::session::Session;

const TYPE: &str = "x-queue-type";
const LIMIT: &str = "x-delivery-limit";
const PRIORITY: &str = "x-max-priority";
/// More arguments than a quorum queue has.
const ROUNDS: usize = 24;

/// A queue, as `--peek` tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Messages are taken and put back.
    Queue(Returns),
    /// Messages are read, and stay.
    Stream,
}

/// Asks for `queue`.
///
/// # Errors
/// When the connection is lost. A broker that does not say is no error.
pub async fn ask(session: &Session, queue: &ShortString) -> Result<Kind, Trouble> {
    let from =
        |major, minor| session.server().is_some_and(|server| server.is_rabbitmq_from(major, minor));
    if from(4, 3) {
        return Ok(Kind::Queue(Returns::Free));
    }
    if !from(3, 0) || session.has_one_channel() {
        return Ok(Kind::Queue(Returns::NotKnown));
    }
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let mut arguments = FieldTable::default();
    set(&mut arguments, TYPE, text("quorum"));
    set(&mut arguments, LIMIT, text("?"));
    set(&mut arguments, PRIORITY, AMQPValue::LongInt(1));
    for _ in 0..ROUNDS {
        let channel = session.channel().await?;
        let declared = channel.queue_declare(queue.clone(), options, arguments.clone());
        match session.answer(declared).await {
            Err(Trouble::Refused { code: reply::PRECONDITION_FAILED, text }) => {
                match read(&text, from(4, 0)) {
                    Read::Is(kind) => return Ok(kind),
                    Read::Differs(name, value) => {
                        let number = value.parse().map(AMQPValue::LongLongInt);
                        let known = arguments.inner().get(name.as_str()).cloned();
                        let typed = match (value.as_str(), number) {
                            ("true" | "false", _) => AMQPValue::Boolean(value == "true"),
                            (_, Ok(number)) => number,
                            _ => crate::difference::text(&value),
                        };
                        // What was refused once is the other type.
                        let again = known.as_ref() == Some(&typed);
                        let text = crate::difference::text(&value);
                        if again && typed == text {
                            break;
                        }
                        set(&mut arguments, &name, if again { text } else { typed });
                    }
                }
            }
            Err(lost @ Trouble::Lost(_)) => return Err(lost),
            // Not permitted to configure it, or another broker.
            _ => break,
        }
    }
    Ok(Kind::Queue(Returns::NotKnown))
}

/// What a refusal says.
#[derive(Debug, PartialEq, Eq)]
enum Read {
    Is(Kind),
    /// An argument that is compared before the limit, and its value.
    Differs(String, String),
}

fn read(said: &str, from_4_0: bool) -> Read {
    let not_known = Read::Is(Kind::Queue(Returns::NotKnown));
    let classic = Read::Is(Kind::Queue(Returns::Free));
    match difference(said) {
        Some((LIMIT, current)) => match current.map(str::parse) {
            Some(Ok(limit)) => Read::Is(Kind::Queue(Returns::of_quorum(Some(limit), from_4_0))),
            None => Read::Is(Kind::Queue(Returns::of_quorum(None, from_4_0))),
            Some(Err(_)) => not_known,
        },
        Some((TYPE, Some("stream"))) => Read::Is(Kind::Stream),
        // Up to 3.10 an untyped queue has no type. Only a classic one is transient, goes with its
        // last consumer, or has priorities.
        Some((TYPE | PRIORITY | "durable" | "auto_delete", _)) => classic,
        Some((name, Some(value))) => Read::Differs(name.to_owned(), value.to_owned()),
        // Too long a name for the sentence, or another sentence.
        _ => not_known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_the_limit_or_the_type_or_what_is_compared_before() {
        let queue = |returns| Read::Is(Kind::Queue(returns));
        for (said, wanted) in [
            (
                "x-delivery-limit|the value '?' of type 'longstr' but current is none",
                queue(Returns::Limited(20)),
            ),
            ("x-delivery-limit|'?' but current is '3'", queue(Returns::Limited(3))),
            ("x-delivery-limit|'?' but current is '-1'", queue(Returns::Unlimited)),
            ("x-queue-type|'quorum' but current is 'classic'", queue(Returns::Free)),
            (
                "x-queue-type|the value 'quorum' of type 'longstr' but current is none",
                queue(Returns::Free),
            ),
            ("x-queue-type|'quorum' but current is 'stream'", Read::Is(Kind::Stream)),
            ("durable|'true' but current is 'false'", queue(Returns::Free)),
            (
                "x-message-ttl|none but current is the value '10' of type 'signedint'",
                Read::Differs("x-message-ttl".to_owned(), "10".to_owned()),
            ),
        ] {
            let (argument, values) = said.split_once('|').unwrap();
            let said = format!(
                "inequivalent arg '{argument}' for queue 'q' in vhost '/': received {values}"
            );
            assert_eq!(read(&said, true), wanted, "{said}");
        }
        let invalid =
            "invalid arg 'x-max-priority' for queue 'q' in vhost '/' of queue type quorum";
        assert_eq!(read(invalid, true), queue(Returns::NotKnown));
    }
}
