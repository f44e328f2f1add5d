//! Whether a queue has a dead-letter exchange, before anything is given up to it: without one a
//! rejected message is gone.
//!
//! AMQP shows nobody a queue's arguments. But a declaration with another dead-letter exchange is
//! refused, and the refusal says what the queue has. It names the first argument that differs, so
//! those before it are taken over, one by one. A passive declaration comes first: a queue that is
//! not there must not be made.

use crate::difference::{difference, set, text};
use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use rmq_common::amqp_error::{Trouble, reply};
use rmq_common::failure::Failure;
use rmq_common::session::Session;

/// An exchange that no queue has.
const NO_EXCHANGE: &str = "rmq-recv: no such exchange";
/// How many arguments may be taken over: RabbitMQ compares two before this one.
const TRIES: usize = 6;

/// Refuses a queue without a dead-letter exchange of its own.
///
/// # Errors
/// It has none (65), or nobody can tell: one that a policy gives does not show (65), and without
/// configure permission none does (77).
pub async fn check(session: &Session, queue: &ShortString) -> Result<(), Failure> {
    let context = |failure: Failure| {
        failure.context(format!("look for the dead-letter exchange of {queue} (--on-failure)"))
    };
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let lost = |trouble: Trouble| context(trouble.failure());
    let channel = session.channel().await.map_err(lost)?;
    let looked = channel.queue_declare(queue.clone(), passive, FieldTable::default());
    session.answer(looked).await.map_err(lost)?;
    let mut options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let mut arguments = FieldTable::default();
    set(&mut arguments, "x-queue-type", text("quorum"));
    set(&mut arguments, "x-dead-letter-exchange", text(NO_EXCHANGE));
    for _ in 0..TRIES {
        let channel = session.channel().await.map_err(lost)?;
        let declared = session.answer(channel.queue_declare(queue.clone(), options, arguments.clone()));
        let said = match declared.await {
            Err(Trouble::Refused { code: reply::PRECONDITION_FAILED, text }) => text,
            Err(trouble) => return Err(lost(trouble)),
            Ok(_) => break,
        };
        let Some((argument, current)) = difference(&said) else { break };
        match (argument, current) {
            ("x-dead-letter-exchange", Some(_)) => return Ok(()),
            ("x-dead-letter-exchange", None) => {
                return Err(context(Failure::data("it has none, and what fails would be lost")));
            }
            ("durable", _) => options.durable = !options.durable,
            ("auto_delete", _) => options.auto_delete = !options.auto_delete,
            (name, Some(current)) => {
                let number = current.parse().map(AMQPValue::LongLongInt);
                set(&mut arguments, name, number.unwrap_or_else(|_| text(current)));
            }
            // Up to 3.10 an untyped queue has no type.
            ("x-queue-type", None) => {
                arguments = FieldTable::default();
                set(&mut arguments, "x-dead-letter-exchange", text(NO_EXCHANGE));
            }
            (_, None) => break,
        }
    }
    Err(context(Failure::data("the broker does not say whether there is one")))
}
