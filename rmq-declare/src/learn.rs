//! What a queue that is there is like, learnt from refusals.
//!
//! AMQP has no method that tells. But a declaration that is not like the queue is refused, and the
//! refusal names one argument and its value; so a declaration is mended and made again until the
//! broker confirms it. Each can only confirm or be refused, unless somebody deletes the queue in the
//! instant between.

use crate::argument_value::{long, short};
use crate::declare;
use crate::inequivalent::{self, Complaint, Value};
use crate::link::Link;
use crate::queue_arguments::{MAX_AGE, TABLE};
use crate::shape::Declaration;
use crate::spelling::spelt;
use lapin::types::{AMQPValue, ShortString};
use rmq_common::amqp_error::{Trouble, reply};
use rmq_common::failure::Failure;

/// Each refusal settles one argument; properties, and arguments of `--arg`, come on top.
const ROUNDS: usize = TABLE.len() + 32;

/// What `queue` is like, beginning with the guess `declaration`; `None` where the broker does not
/// tell all of it.
///
/// # Errors
/// When the broker cannot be asked.
pub async fn learn(
    link: &Link,
    queue: &ShortString,
    mut declaration: Declaration,
) -> Result<Option<Declaration>, Failure> {
    for _ in 0..ROUNDS {
        let refused = match declare::exactly(link, queue, &declaration).await? {
            Ok(()) => return Ok(Some(declaration)),
            Err(Trouble::Refused { code: reply::PRECONDITION_FAILED, text }) => text,
            Err(_) => return Ok(None),
        };
        let complaint = inequivalent::read(&refused, "queue", queue.as_str(), link.vhost());
        if !complaint.is_some_and(|complaint| declaration.mend(complaint)) {
            return Ok(None);
        }
    }
    Ok(None)
}

impl Declaration {
    /// Makes it what the complaint says; whether that could be understood.
    fn mend(&mut self, complaint: Complaint) -> bool {
        let (argument, value) = match complaint {
            Complaint::Inequivalent { argument, current: Value::Is(value) } => (argument, value),
            Complaint::Inequivalent { argument, current: Value::None } => {
                return self.remove(&argument);
            }
            // An argument that the queue's own type does not have.
            Complaint::Invalid { argument, why } if why.starts_with("of queue type") => {
                return self.remove(&argument);
            }
            Complaint::Inequivalent { .. } | Complaint::Invalid { .. } => return false,
        };
        match argument.as_str() {
            "durable" => self.durable = value == "true",
            "auto_delete" => self.auto_delete = value == "true",
            argument => {
                let text = match argument {
                    MAX_AGE => long(&spelt(MAX_AGE, &value)),
                    _ => long(&value),
                };
                let typed = match (value.parse(), value.as_str()) {
                    _ if argument == MAX_AGE => text.clone(),
                    (Ok(number), _) => AMQPValue::LongLongInt(number),
                    (_, "true") => AMQPValue::Boolean(true),
                    (_, "false") => AMQPValue::Boolean(false),
                    _ => text.clone(),
                };
                // What was refused once would be refused again: then it is the other type, or
                // nothing that could be learnt.
                let known = self.arguments.inner().get(argument);
                let value = match known {
                    Some(known) if *known == text => return false,
                    Some(known) if *known == typed => text,
                    _ => typed,
                };
                let Ok(key) = short(argument) else { return false };
                self.arguments.insert(key, value);
            }
        }
        true
    }

    /// Whether it was there to be removed.
    fn remove(&mut self, argument: &str) -> bool {
        if !self.arguments.contains_key(argument) {
            return false;
        }
        let kept = self.arguments.into_iter().filter(|(key, _)| key.as_str() != argument);
        let kept = kept.map(|(key, value)| (key.clone(), value.clone())).collect::<Vec<_>>();
        self.arguments = Default::default();
        for (key, value) in kept {
            self.arguments.insert(key, value);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lapin::types::FieldTable;

    fn is(argument: &str, value: &str) -> Complaint {
        let current = Value::Is(value.to_owned());
        Complaint::Inequivalent { argument: argument.to_owned(), current }
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
            assert!(declaration.mend(is(argument, value)));
            assert_eq!(declaration.asked(argument), Some(wanted));
        }
        assert!(declaration.mend(is("durable", "false")) && !declaration.durable);
        let none =
            Complaint::Inequivalent { argument: "x-max-length".to_owned(), current: Value::None };
        assert!(declaration.mend(none.clone()));
        assert_eq!(declaration.asked("x-max-length"), None);
        assert!(!declaration.mend(none), "it would go round in a circle");
    }

    #[test]
    fn a_number_that_is_a_text_is_learnt_in_the_second_round() {
        let mut declaration = empty();
        assert!(declaration.mend(is("x-dead-letter-routing-key", "5")));
        assert!(declaration.mend(is("x-dead-letter-routing-key", "5")));
        assert_eq!(declaration.asked("x-dead-letter-routing-key"), Some(long("5")));
        assert!(!declaration.mend(is("x-dead-letter-routing-key", "5")));
    }

    #[test]
    fn what_the_broker_cut_off_is_not_learnt() {
        let current = Value::CutOff;
        let complaint = Complaint::Inequivalent { argument: "x-max-length".to_owned(), current };
        assert!(!empty().mend(complaint));
    }
}
