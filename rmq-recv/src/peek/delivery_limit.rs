//! What a queue does with messages that are put back, as far as the broker says.
//!
//! The question is a declaration that can only be refused: no quorum queue has a text as its limit,
//! and none that could be declared has the priorities of a classic one. So a queue that is deleted
//! at that moment is not declared again. RabbitMQ compares the limit before the priorities (3.10 to
//! 4.3); what it compares before the limit is copied from the refusals, one argument per round.

use crate::peek::returns::Returns;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use rmq_common::amqp_error::{AmqpError, Refusal, Refused, Value};
use rmq_common::declaration::{Declaration, set, text};
use rmq_common::session::Session;

const TYPE: &str = "x-queue-type";
const LIMIT: &str = "x-delivery-limit";
const PRIORITY: &str = "x-max-priority";
/// More arguments than a quorum queue has.
const ROUNDS: usize = 24;

/// The kinds of queues that `--peek` distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Messages are taken and put back.
    Queue(Returns),
    /// Messages are read and stay in place.
    Stream,
}

/// Asks about `queue` of `vhost`.
///
/// # Errors
/// The connection is lost. A broker that does not say is not an error.
pub async fn ask(session: &Session, queue: &ShortString, vhost: &str) -> Result<Kind, AmqpError> {
    let from =
        |major, minor| session.server().is_some_and(|server| server.is_rabbitmq_from(major, minor));
    if from(4, 3) {
        return Ok(Kind::Queue(Returns::Free));
    }
    if !from(3, 0) || session.has_one_channel() {
        return Ok(Kind::Queue(Returns::NotKnown));
    }
    let mut arguments = FieldTable::default();
    set(&mut arguments, TYPE, text("quorum"));
    set(&mut arguments, LIMIT, text("?"));
    set(&mut arguments, PRIORITY, AMQPValue::LongInt(1));
    let mut guess = Declaration { durable: true, auto_delete: false, arguments };
    for _ in 0..ROUNDS {
        let channel = session.channel().await?;
        let (options, arguments) = (guess.options(), guess.arguments.clone());
        let declared = channel.queue_declare(queue.clone(), options, arguments);
        match session.answer(declared).await {
            Err(AmqpError::Refused(Refused { what: Refusal::Inequivalent(said), .. })) => {
                match read(&said.argument, said.current(queue.as_str(), vhost), from(4, 0)) {
                    Read::Is(kind) => return Ok(kind),
                    Read::Differs(name, value) => {
                        if !guess.take_over(&name, Value::Is(value)) {
                            break;
                        }
                    }
                }
            }
            Err(lost @ AmqpError::Lost(_)) => return Err(lost),
            // No permission to configure it, or another kind of broker.
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

fn read(argument: &str, current: Value, from_4_0: bool) -> Read {
    let not_known = Read::Is(Kind::Queue(Returns::NotKnown));
    let classic = Read::Is(Kind::Queue(Returns::Free));
    match (argument, current) {
        // The name was too long for the sentence.
        (_, Value::CutOff) => not_known,
        (LIMIT, Value::Is(limit)) => match limit.parse() {
            Ok(limit) => Read::Is(Kind::Queue(Returns::of_quorum(Some(limit), from_4_0))),
            Err(_) => not_known,
        },
        (LIMIT, Value::None) => Read::Is(Kind::Queue(Returns::of_quorum(None, from_4_0))),
        (TYPE, Value::Is(queue_type)) if queue_type == "stream" => Read::Is(Kind::Stream),
        // Up to 3.10 an untyped queue has no type. Only a classic one can be transient, be deleted
        // with its last consumer, or have priorities.
        (TYPE | PRIORITY | "durable" | "auto_delete", _) => classic,
        (name, Value::Is(value)) => Read::Differs(name.to_owned(), value),
        (_, Value::None) => not_known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_the_limit_or_the_type_or_what_is_compared_before() {
        let queue = |returns| Read::Is(Kind::Queue(returns));
        let is = |value: &str| Value::Is(value.to_owned());
        for (argument, current, wanted) in [
            (LIMIT, Value::None, queue(Returns::Limited(20))),
            (LIMIT, is("3"), queue(Returns::Limited(3))),
            (LIMIT, is("-1"), queue(Returns::Unlimited)),
            (LIMIT, Value::CutOff, queue(Returns::NotKnown)),
            (TYPE, is("classic"), queue(Returns::Free)),
            (TYPE, Value::None, queue(Returns::Free)),
            (TYPE, is("stream"), Read::Is(Kind::Stream)),
            ("durable", is("false"), queue(Returns::Free)),
            ("x-message-ttl", is("10"), Read::Differs("x-message-ttl".to_owned(), "10".to_owned())),
            ("x-message-ttl", Value::None, queue(Returns::NotKnown)),
        ] {
            assert_eq!(read(argument, current.clone(), true), wanted, "{argument} {current:?}");
        }
    }
}
