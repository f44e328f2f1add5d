//! Determines the description of an existing queue or exchange from refusals.
//!
//! AMQP has no method for this. But a declaration that does not match is refused, and the refusal
//! names one argument and its value; so the declaration is corrected and repeated until the broker
//! confirms it. Each can only be confirmed or refused, unless another client deletes the queue in
//! the meantime.

use crate::broker::exactly;
use crate::broker::link::{ANSWERS_WITHIN, Link, Reply};
use crate::queue::exchange::Exchange;
use crate::queue::queue_arguments::{TABLE, TYPE};
use crate::values::argument_value::{long, short};
use lapin::types::{FieldTable, ShortString};
use rmq_common::amqp_error::{AmqpError, Value};
use rmq_common::declaration::{Declaration, corrected, remove, set_as_said};
use rmq_common::failure::Failure;

/// Each refusal settles one argument; properties and arguments of `--arg` are extra.
const ROUNDS: usize = TABLE.len() + 32;

/// A type that no queue has.
const NO_TYPE: &str = "none";

#[derive(Clone, Debug)]
pub struct Learnt<T> {
    /// The description, as far as the broker gave it.
    pub is: T,
    /// An argument that differs and whose value the broker cut off.
    pub cut_off: Option<String>,
    /// Whether the description is complete.
    pub is_whole: bool,
}

impl<T> Learnt<T> {
    /// The description, if it is complete.
    pub fn whole(self) -> Option<T> {
        self.is_whole.then_some(self.is)
    }
}

/// A declaration that a refusal can correct.
pub trait Guess: Sized {
    /// Gives `argument` the broker's value; returns whether that could help.
    fn correct(&mut self, argument: &str, value: Value) -> bool;
}

/// The description of `queue`, starting from the guess `declaration` and its known refusal.
pub async fn queue(
    link: &Link,
    queue: &ShortString,
    declaration: Declaration,
    known: Option<&AmqpError>,
) -> Result<Learnt<Declaration>, Failure> {
    learn(declaration, queue.as_str(), link.vhost(), known, async |guess| {
        exactly::queue(link, queue, guess).await
    })
    .await
}

/// The type of an existing queue; `None` if unknown.
///
/// The requested type does not exist, so no queue is created. It needs the `configure` permission.
pub async fn type_of(link: &Link, queue: &ShortString) -> Result<Option<String>, Failure> {
    let mut arguments = FieldTable::default();
    arguments.insert(short(TYPE).unwrap_or_default(), long(NO_TYPE));
    let mut guess = Declaration { durable: true, auto_delete: false, arguments };
    for _ in 0..ROUNDS {
        let reply = link
            .look(&format!("queue {queue}"), ANSWERS_WITHIN, async |channel, _| {
                let arguments = guess.arguments.clone();
                channel.queue_declare(queue.clone(), guess.options(), arguments).await
            })
            .await?;
        let Reply::Refused(AmqpError::Refused(refused)) = reply else { break };
        match corrected(refused.what, queue.as_str(), link.vhost()) {
            Some((argument, Value::Is(queue_type))) if argument == TYPE => {
                return Ok(Some(queue_type));
            }
            // Without the argument it is a classic queue.
            Some((argument, Value::None)) if argument == TYPE => {
                return Ok(Some("classic".to_owned()));
            }
            Some((argument, value)) => {
                if !guess.correct(&argument, value) {
                    break;
                }
            }
            None => break,
        }
    }
    Ok(None)
}

/// The description of an exchange whose declaration as `asked` was refused in this way.
pub async fn exchange(
    link: &Link,
    asked: &Exchange,
    known: &AmqpError,
) -> Result<Learnt<Exchange>, Failure> {
    let name = asked.name.as_str();
    learn(asked.clone(), name, link.vhost(), Some(known), async |guess| {
        exactly::exchange(link, guess).await
    })
    .await
}

async fn learn<T: Guess>(
    mut guess: T,
    name: &str,
    vhost: &str,
    known: Option<&AmqpError>,
    declare: impl AsyncFn(&T) -> Result<Result<(), AmqpError>, Failure>,
) -> Result<Learnt<T>, Failure> {
    let mut known = known.cloned();
    for _ in 0..ROUNDS {
        let answer = match known.take() {
            Some(trouble) => Err(trouble),
            None => declare(&guess).await?,
        };
        let refused = match answer {
            Ok(()) => return Ok(Learnt { is: guess, cut_off: None, is_whole: true }),
            Err(AmqpError::Refused(refused)) => refused.what,
            Err(_) => break,
        };
        let Some((argument, value)) = corrected(refused, name, vhost) else { break };
        if value == Value::CutOff {
            return Ok(Learnt { is: guess, cut_off: Some(argument), is_whole: false });
        }
        if !guess.correct(&argument, value) {
            break;
        }
    }
    Ok(Learnt { is: guess, cut_off: None, is_whole: false })
}

impl Guess for Exchange {
    fn correct(&mut self, argument: &str, value: Value) -> bool {
        match (argument, value) {
            ("type", Value::Is(kind)) => self.kind = kind,
            ("durable", Value::Is(value)) => self.durable = value == "true",
            ("auto_delete", Value::Is(value)) => self.auto_delete = value == "true",
            ("internal", Value::Is(value)) => self.internal = value == "true",
            (argument, Value::None) => return remove(&mut self.arguments, argument),
            (argument, Value::Is(value)) => {
                return set_as_said(&mut self.arguments, argument, &value);
            }
            (_, Value::CutOff) => return false,
        }
        true
    }
}

impl Guess for Declaration {
    fn correct(&mut self, argument: &str, value: Value) -> bool {
        self.take_over(argument, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(value: &str) -> Value {
        Value::Is(value.to_owned())
    }

    #[test]
    fn each_complaint_mends_one_thing_of_an_exchange() {
        let mut exchange: Exchange = "e:topic".parse().unwrap();
        for (argument, value) in [
            ("type", "direct"),
            ("durable", "false"),
            ("internal", "true"),
            ("alternate-exchange", "x"),
        ] {
            assert!(exchange.correct(argument, is(value)));
        }
        let text = r#"{"name":"e","type":"direct","durable":false,"internal":true,
                       "arguments":{"alternate-exchange":"x"}}"#;
        assert_eq!(exchange, text.parse().unwrap());
        assert!(!exchange.correct("alternate-exchange", is("x")), "it would go round in a circle");
    }
}
