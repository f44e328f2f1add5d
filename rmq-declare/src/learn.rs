//! What a queue or an exchange that is there is like, learnt from refusals.
//!
//! AMQP has no method that tells. But a declaration that is not like the queue is refused, and the
//! refusal names one argument and its value; so a declaration is mended and made again until the
//! broker confirms it. Each can only confirm or be refused, unless somebody deletes the queue in the
//! instant between.

use crate::argument_value::{long, short};
use crate::declare;
use crate::exchange::Exchange;
use crate::link::Link;
use crate::queue_arguments::{MAX_AGE, TABLE};
use crate::shape::Declaration;
use crate::spelling::spelt;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use rmq_common::amqp_error::{AmqpError, Refusal, Value};
use rmq_common::failure::Failure;

/// Each refusal settles one argument; properties, and arguments of `--arg`, come on top.
const ROUNDS: usize = TABLE.len() + 32;

/// What has been learnt.
#[derive(Clone, Debug)]
pub struct Learnt<T> {
    /// What it is like, as far as the broker told.
    pub is: T,
    /// An argument that is another one, and whose value the broker cut off.
    pub cut_off: Option<String>,
    /// Whether that is all of it.
    pub is_whole: bool,
}

impl<T> Learnt<T> {
    /// What it is like, where all of that is known.
    pub fn whole(self) -> Option<T> {
        self.is_whole.then_some(self.is)
    }
}

/// What can be mended by what a refusal tells.
pub trait Guess: Sized {
    /// Gives `argument` the value that the broker says; whether that could help.
    fn mend(&mut self, argument: &str, value: Value) -> bool;
}

/// What `queue` is like, beginning with the guess `declaration`, and what is known of that already:
/// that it was refused, and how.
///
/// # Errors
/// When the broker cannot be asked.
pub async fn queue(
    link: &Link,
    queue: &ShortString,
    declaration: Declaration,
    known: Option<&AmqpError>,
) -> Result<Learnt<Declaration>, Failure> {
    learn(declaration, queue.as_str(), link.vhost(), known, async |guess| {
        declare::exactly(link, queue, guess).await
    })
    .await
}

/// What an exchange is like that was refused so when it was `asked` for.
///
/// # Errors
/// When the broker cannot be asked.
pub async fn exchange(
    link: &Link,
    asked: &Exchange,
    known: &AmqpError,
) -> Result<Learnt<Exchange>, Failure> {
    let name = asked.name.as_str();
    learn(asked.clone(), name, link.vhost(), Some(known), async |guess| {
        declare::exchange_exactly(link, guess).await
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
        let (argument, value) = match refused {
            Refusal::Inequivalent(said) => {
                let value = said.current(name, vhost);
                (said.argument, value)
            }
            // An argument that the queue's own type does not have.
            Refusal::Invalid(said) if said.why(name, vhost).is_none() => {
                (said.argument, Value::None)
            }
            _ => break,
        };
        if value == Value::CutOff {
            return Ok(Learnt { is: guess, cut_off: Some(argument), is_whole: false });
        }
        if !guess.mend(&argument, value) {
            break;
        }
    }
    Ok(Learnt { is: guess, cut_off: None, is_whole: false })
}

impl Guess for Exchange {
    fn mend(&mut self, argument: &str, value: Value) -> bool {
        match (argument, value) {
            ("type", Value::Is(kind)) => self.kind = kind,
            ("durable", Value::Is(value)) => self.durable = value == "true",
            ("auto_delete", Value::Is(value)) => self.auto_delete = value == "true",
            ("internal", Value::Is(value)) => self.internal = value == "true",
            (argument, Value::None) => return remove(&mut self.arguments, argument),
            (argument, Value::Is(value)) => return set(&mut self.arguments, argument, &value),
            (_, Value::CutOff) => return false,
        }
        true
    }
}

impl Guess for Declaration {
    fn mend(&mut self, argument: &str, value: Value) -> bool {
        match (argument, value) {
            (argument, Value::None) => return remove(&mut self.arguments, argument),
            ("durable", Value::Is(value)) => self.durable = value == "true",
            ("auto_delete", Value::Is(value)) => self.auto_delete = value == "true",
            // It would have to be another connection's, which is refused in other words.
            ("exclusive", _) | (_, Value::CutOff) => return false,
            (argument, Value::Is(value)) => return set(&mut self.arguments, argument, &value),
        }
        true
    }
}

/// Gives `argument` the value that the broker tells; whether that could help.
fn set(arguments: &mut FieldTable, argument: &str, value: &str) -> bool {
    let text = match argument {
        MAX_AGE => long(&spelt(MAX_AGE, value)),
        _ => long(value),
    };
    let typed = match (value.parse(), value) {
        _ if argument == MAX_AGE => text.clone(),
        (Ok(number), _) => AMQPValue::LongLongInt(number),
        (_, "true") => AMQPValue::Boolean(true),
        (_, "false") => AMQPValue::Boolean(false),
        _ => text.clone(),
    };
    // What was refused once would be refused again: then it is the other type, or nothing that could
    // be learnt.
    let value = match arguments.inner().get(argument) {
        Some(known) if *known == text => return false,
        Some(known) if *known == typed => text,
        _ => typed,
    };
    let Ok(key) = short(argument) else { return false };
    arguments.insert(key, value);
    true
}

/// Whether it was there to be removed.
fn remove(arguments: &mut FieldTable, argument: &str) -> bool {
    if !arguments.contains_key(argument) {
        return false;
    }
    let kept: Vec<_> = arguments
        .into_iter()
        .filter(|(key, _)| key.as_str() != argument)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    *arguments = FieldTable::default();
    for (key, value) in kept {
        arguments.insert(key, value);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(value: &str) -> Value {
        Value::Is(value.to_owned())
    }

    fn empty() -> Declaration {
        Declaration { durable: true, auto_delete: false, arguments: FieldTable::default() }
    }

    #[test]
    fn each_complaint_mends_one_thing() {
        let mut declaration = empty();
        for (argument, value, wanted) in [
            ("x-max-length", "10", AMQPValue::LongLongInt(10)),
            ("x-single-active-consumer", "true", AMQPValue::Boolean(true)),
            ("x-overflow", "drop-head", long("drop-head")),
            ("x-max-age", "604800000", long("7D")),
            ("x-dead-letter-exchange", "", long("")),
        ] {
            assert!(declaration.mend(argument, is(value)));
            assert_eq!(declaration.asked(argument), Some(wanted));
        }
        assert!(declaration.mend("durable", is("false")) && !declaration.durable);
        assert!(declaration.mend("x-max-length", Value::None));
        assert_eq!(declaration.asked("x-max-length"), None);
        assert!(!declaration.mend("x-max-length", Value::None), "it would go round in a circle");
    }

    #[test]
    fn a_number_that_is_a_text_is_learnt_in_the_second_round() {
        let mut declaration = empty();
        assert!(declaration.mend("x-dead-letter-routing-key", is("5")));
        assert!(declaration.mend("x-dead-letter-routing-key", is("5")));
        assert_eq!(declaration.asked("x-dead-letter-routing-key"), Some(long("5")));
        assert!(!declaration.mend("x-dead-letter-routing-key", is("5")));
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
            assert!(exchange.mend(argument, is(value)));
        }
        let text = r#"{"name":"e","type":"direct","durable":false,"internal":true,
                       "arguments":{"alternate-exchange":"x"}}"#;
        assert_eq!(exchange, text.parse().unwrap());
        assert!(!exchange.mend("alternate-exchange", is("x")), "it would go round in a circle");
    }

    #[test]
    fn what_the_broker_cut_off_is_not_learnt() {
        assert!(!empty().mend("x-max-length", Value::CutOff));
    }
}
