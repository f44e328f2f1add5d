//! Whether a queue has a dead-letter exchange, which must be known before anything is rejected:
//! without one, a rejected message is lost.
//!
//! AMQP shows no client a queue's arguments. But a declaration with another dead-letter exchange is
//! refused, and the refusal says what the queue has. It names the first argument that differs, so
//! those before it are copied, one by one. A passive declaration comes first, so that none is
//! created.

use lapin::types::{FieldTable, ShortString};
use rmq_common::amqp_error::{AmqpError, Value};
use rmq_common::declaration::{Declaration, corrected, set, text};
use rmq_common::failure::Failure;
use rmq_common::session::Session;

/// An exchange that no queue has.
const NO_EXCHANGE: &str = "rmq-recv: no such exchange";
const TYPE: &str = "x-queue-type";
const QUORUM: &str = "quorum";
const EXCHANGE: &str = "x-dead-letter-exchange";
/// How many times something may be copied: RabbitMQ compares two arguments and two properties
/// before this one, and what looks like a number may be a text.
const TRIES: usize = 6;
/// The same for the type, which some queues compare last of all.
const TRIES_FOR_TYPE: usize = 20;

/// The question whether a queue has a dead-letter exchange; the answer lasts across connections.
pub struct Question<'a> {
    queue: &'a ShortString,
    vhost: String,
    exists: bool,
    guess: Declaration,
    left: usize,
    /// Whether it also has to count deliveries.
    counts: bool,
    /// Whether it is known to have such an exchange.
    has_exchange: bool,
}

/// A queue with a dead-letter exchange.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// It is deleted with its last consumer.
    pub auto_delete: bool,
}

impl<'a> Question<'a> {
    /// About this queue of `vhost`; also, whether it `counts` deliveries.
    pub fn new(queue: &'a ShortString, vhost: &str, counts: bool) -> Self {
        let mut arguments = FieldTable::default();
        set(&mut arguments, TYPE, text(QUORUM));
        set(&mut arguments, EXCHANGE, text(NO_EXCHANGE));
        let guess = Declaration { durable: true, auto_delete: false, arguments };
        Question {
            queue,
            vhost: vhost.to_owned(),
            exists: false,
            guess,
            left: if counts { TRIES_FOR_TYPE } else { TRIES },
            counts,
            has_exchange: false,
        }
    }

    /// Asks, with one channel at a time. Returns what it found, or why the queue must not be used.
    ///
    /// # Errors
    /// The connection is lost, or another one is needed, which continues where this one ended.
    /// There is no such queue (65), or no configure permission (77).
    pub async fn ask(&mut self, session: &Session) -> Result<Result<Found, Failure>, AmqpError> {
        while self.left > 0 {
            let channel = session.channel().await?;
            if !self.exists {
                session.asker().queue(&channel, self.queue).await?;
                self.exists = true;
            }
            let (options, arguments) = (self.guess.options(), self.guess.arguments.clone());
            let declared = channel.queue_declare(self.queue.clone(), options, arguments);
            let refused = match session.answer(declared).await {
                Err(AmqpError::Refused(refused)) if !refused.is_of_precondition() => {
                    return Err(AmqpError::Refused(refused));
                }
                Err(AmqpError::Refused(refused)) => refused.what,
                Err(error) => return Err(error),
                // Everything is as required.
                Ok(_) if self.has_exchange => return Ok(Ok(self.found())),
                Ok(_) => break,
            };
            let Some((argument, value)) = corrected(refused, self.queue.as_str(), &self.vhost)
            else {
                break;
            };
            self.left -= 1;
            if let Some(answer) = self.learn(&argument, value) {
                return Ok(answer);
            }
            if session.has_one_channel() {
                // The refusal has closed it, and lapin never reuses its number.
                return Err(AmqpError::lost("another channel is needed (channel_max 1)"));
            }
        }
        Ok(Err(self.not_known()))
    }

    fn context(&self, failure: Failure) -> Failure {
        context(self.queue, failure)
    }

    fn not_known(&self) -> Failure {
        self.context(Failure::data("the broker does not reveal whether there is one"))
    }

    fn found(&self) -> Found {
        Found { auto_delete: self.guess.auto_delete }
    }

    /// What a refusal says about the queue; `None` if it is one more argument to copy.
    fn learn(&mut self, argument: &str, current: Value) -> Option<Result<Found, Failure>> {
        match (argument, current) {
            (EXCHANGE, Value::Is(_)) if !self.counts => Some(Ok(self.found())),
            (EXCHANGE, Value::None) => {
                let none = Failure::data("there is none, and rejected messages would be lost");
                Some(Err(self.context(none)))
            }
            (TYPE, current) if self.counts => {
                let current = match &current {
                    Value::Is(current) => current,
                    _ => "classic",
                };
                let why = format!(
                    "retry:N requires a quorum queue, which counts deliveries; this is a {current} queue"
                );
                Some(Err(self.context(Failure::data(why))))
            }
            (argument, current) => {
                self.has_exchange |= argument == EXCHANGE;
                let is_taken_over = self.guess.take_over(argument, current);
                (!is_taken_over).then(|| Err(self.not_known()))
            }
        }
    }
}

/// Adds context to `failure` if it is about the dead-letter exchange of `queue`.
pub fn context(queue: &ShortString, failure: Failure) -> Failure {
    failure.context(format!("query the dead-letter exchange of {queue} (--on-failure)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_refusal_says_is_taken_over_until_the_exchange_is_named() {
        let is = |value: &str| Value::Is(value.to_owned());
        let queue = ShortString::try_new("q").unwrap();
        let mut question = Question::new(&queue, "/", false);
        assert!(question.learn("x-queue-type", is("classic")).is_none());
        assert!(question.learn("auto_delete", is("true")).is_none());
        assert!(question.learn(EXCHANGE, is("dlx")).unwrap().unwrap().auto_delete);
        let failure = question.learn(EXCHANGE, Value::None).unwrap().unwrap_err().to_string();
        assert!(
            failure.ends_with("there is none, and rejected messages would be lost"),
            "{failure}"
        );
        assert!(question.learn(EXCHANGE, Value::CutOff).unwrap().is_err());
        let mut question = Question::new(&queue, "/", true);
        assert!(question.learn(EXCHANGE, is("dlx")).is_none());
        assert!(question.has_exchange);
        let failure = question.learn(TYPE, is("classic")).unwrap().unwrap_err().to_string();
        assert!(failure.contains("retry:N requires a quorum queue"), "{failure}");
    }
}
