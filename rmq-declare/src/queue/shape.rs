//! The description of a queue, and what is refused before a broker is asked.

use crate::arguments::Arguments;
use crate::queue::queue_arguments::{
    self, DEAD_LETTER_EXCHANGE, DEAD_LETTER_KEY, DEAD_LETTER_STRATEGY, DELAYED_RETRY_MIN,
    DELAYED_RETRY_TYPE, DELIVERY_LIMIT, OVERFLOW, TYPE,
};
use crate::queue::queue_type::QueueType;
use crate::values::argument_value::{json_of_table, long, short};
use lapin::types::{AMQPValue, FieldTable};
use rmq_common::declaration::Declaration;
use rmq_common::failure::Failure;
use rmq_common::server::Server;
use serde_json::{Value, json};

/// The description of a queue, without its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    pub queue_type: QueueType,
    /// Whether it survives a restart of the broker.
    pub durable: bool,
    /// Whether it is deleted with its last consumer.
    pub auto_delete: bool,
    /// Without the type.
    pub arguments: FieldTable,
}

/// A declaration as in RabbitMQ's definitions files, without the name.
pub fn json_of(declaration: &Declaration) -> Value {
    json!({
        "durable": declaration.durable,
        "auto_delete": declaration.auto_delete,
        "arguments": json_of_table(&declaration.arguments),
    })
}

impl Shape {
    /// The description on the command line.
    ///
    /// # Errors
    /// Options that cannot be combined with one another or with the type (64).
    pub fn from_options(options: &Arguments) -> Result<Self, Failure> {
        let queue_type = options.queue_type.unwrap_or(QueueType::Quorum);
        if options.exclusive {
            return Err(Failure::usage(
                "--exclusive: the broker would delete the queue when rmq-declare disconnects \
                 (rabbitmq.com/docs/queues#exclusive-queues)",
            ));
        }
        for (given, option, word) in [
            (options.transient, "--transient", "durable"),
            (options.auto_delete, "--auto-delete", "kept until they are deleted"),
        ] {
            if given && queue_type != QueueType::Classic {
                let types = queue_type.plural();
                let guide =
                    if queue_type == QueueType::Stream { "streams" } else { "quorum-queues" };
                return Err(Failure::usage(format!(
                    "{option}: {types} are always {word}, only classic queues need not be \
                     (rabbitmq.com/docs/{guide}#feature-comparison)"
                )));
            }
        }
        let shape = Shape {
            queue_type,
            durable: !options.transient,
            auto_delete: options.auto_delete,
            arguments: queue_arguments::from_options(options, queue_type)?,
        };
        if options.with_dlq {
            // It is checked with the wiring of --with-dlq, whatever the queue's name.
            shape.with_dead_letters_to("")?.check()?;
        } else {
            shape.check()?;
        }
        Ok(shape)
    }

    /// Refuses what the broker would refuse, or worse, accept and ignore.
    fn check(&self) -> Result<(), Failure> {
        let has_exchange = self.has(DEAD_LETTER_EXCHANGE);
        if self.has(DEAD_LETTER_KEY) && !has_exchange {
            return Err(Failure::usage(
                "--dead-letter-key requires --dead-letter-exchange: there is nowhere to route to \
                 (rabbitmq.com/docs/dlx)",
            ));
        }
        if self.is(DEAD_LETTER_STRATEGY, "at-least-once") {
            // From the guide's section "Activating at-least-once dead-lettering".
            if !has_exchange {
                return Err(Failure::usage(
                    "--dead-letter-strategy at-least-once requires --dead-letter-exchange: there is \
                     nowhere to send dead letters (rabbitmq.com/docs/quorum-queues#dead-lettering)",
                ));
            }
            if !self.is(OVERFLOW, "reject-publish") {
                return Err(Failure::usage(
                    "--dead-letter-strategy at-least-once requires --overflow reject-publish: with \
                     drop-head RabbitMQ silently falls back to at-most-once \
                     (rabbitmq.com/docs/quorum-queues#dead-lettering)",
                ));
            }
        }
        if self.queue_type == QueueType::Quorum && self.is(OVERFLOW, "reject-publish-dlx") {
            return Err(Failure::usage(
                "--overflow reject-publish-dlx: quorum queues silently fall back to drop-head, \
                 only classic queues know it (rabbitmq.com/docs/maxlength)",
            ));
        }
        let delays = self.has(DELAYED_RETRY_TYPE) && !self.is(DELAYED_RETRY_TYPE, "disabled");
        if delays && !self.has(DELAYED_RETRY_MIN) {
            return Err(Failure::usage(
                "--delayed-retry-type requires --delayed-retry-min: without it nothing waits \
                 (rabbitmq.com/docs/quorum-queues#delayed-retry)",
            ));
        }
        Ok(())
    }

    /// The declaration for a broker like `server`.
    ///
    /// `--delivery-limit unlimited` is -1 from RabbitMQ 4.0 on. Earlier releases have no default
    /// limit, silently accept -1 and then drop every message the first time it comes back (seen on
    /// 3.10.8), so the argument is left out.
    pub fn declaration(&self, server: Option<&Server>) -> Declaration {
        let unlimited = AMQPValue::LongLongInt(-1);
        let mut arguments = FieldTable::default();
        arguments.insert(short(TYPE).unwrap_or_default(), long(self.queue_type.name()));
        for (key, value) in &self.arguments {
            let is_default = key.as_str() == DELIVERY_LIMIT && *value == unlimited;
            if !is_default || limits_deliveries(server) {
                arguments.insert(key.clone(), value.clone());
            }
        }
        Declaration { durable: self.durable, auto_delete: self.auto_delete, arguments }
    }

    /// Whether anything but the type is given.
    pub fn has_arguments(&self) -> bool {
        !self.arguments.inner().is_empty() || !self.durable || self.auto_delete
    }

    pub fn get(&self, key: &str) -> Option<&AMQPValue> {
        self.arguments.inner().get(key)
    }

    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub fn is(&self, key: &str, text: &str) -> bool {
        self.get(key) == Some(&long(text))
    }

    pub fn set(&mut self, key: &str, value: AMQPValue) {
        self.arguments.insert(short(key).unwrap_or_default(), value);
    }
}

/// Whether quorum queues have a delivery limit by default: RabbitMQ from 4.0 on
/// (<https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling>).
pub fn limits_deliveries(server: Option<&Server>) -> bool {
    server.is_some_and(|server| server.is_rabbitmq_from(4, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use argh::FromArgs;

    fn shape(words: &str) -> Result<Shape, Failure> {
        let words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
        Shape::from_options(&Arguments::from_args(&["rmq-declare"], &words).unwrap())
    }

    fn rabbitmq(version: &str) -> Server {
        Server { product: "RabbitMQ".to_owned(), version: version.to_owned(), ..Server::default() }
    }

    #[test]
    fn at_least_once_needs_an_exchange_and_reject_publish() {
        let at_least_once = "--dead-letter-strategy at-least-once";
        let why = |more: &str| shape(&format!("{at_least_once} {more}")).unwrap_err().to_string();
        assert!(why("--overflow reject-publish").contains("requires --dead-letter-exchange"));
        assert!(why("--dead-letter-exchange x").contains("requires --overflow reject-publish"));
        assert!(why("--dead-letter-exchange x --overflow drop-head").contains("falls back"));
        assert!(why("--dead-letter-exchange x --arg x-overflow=drop-head").contains("falls back"));
        for overflow in ["--overflow reject-publish", "--arg x-overflow=reject-publish"] {
            assert!(shape(&format!("{at_least_once} {overflow} --dead-letter-exchange x")).is_ok());
        }
        assert!(shape("--dead-letter-key k").is_err());
    }

    #[test]
    fn what_a_type_cannot_be_is_refused_with_the_reason_and_the_guide() {
        for (words, why) in [
            ("--transient", "quorum queues are always durable"),
            ("--auto-delete", "quorum queues are always kept until"),
            ("--type stream --auto-delete", "streams are always kept until"),
            ("--exclusive", "delete the queue when"),
            ("--type classic --exclusive", "delete the queue when"),
            ("--overflow reject-publish-dlx", "fall back to drop-head"),
            ("--delayed-retry-type all", "requires --delayed-retry-min"),
        ] {
            let failure = shape(words).unwrap_err();
            assert_eq!(failure.exit().status(), 64);
            let message = failure.to_string();
            assert!(message.contains(why) && message.contains("rabbitmq.com/docs/"), "{message}");
        }
        let classic = shape("--type classic --transient --auto-delete").unwrap();
        assert!(!classic.durable && classic.auto_delete && classic.has_arguments());
        assert!(shape("--type classic --overflow reject-publish-dlx").is_ok());
        assert!(shape("--delayed-retry-type disabled").is_ok());
    }

    #[test]
    fn unlimited_is_minus_one_only_where_that_does_not_lose_messages() {
        let shape = shape("--delivery-limit unlimited --max-length 5").unwrap();
        let limit = |server: Option<&Server>| shape.declaration(server).asked(DELIVERY_LIMIT);
        assert_eq!(limit(Some(&rabbitmq("4.0.5"))), Some(AMQPValue::LongLongInt(-1)));
        assert_eq!(limit(Some(&rabbitmq("3.10.8"))), None);
        assert_eq!(limit(None), None);
        let declaration = shape.declaration(None);
        assert_eq!(declaration.asked(TYPE), Some(long("quorum")));
        assert_eq!(declaration.asked("x-max-length"), Some(AMQPValue::LongLongInt(5)));
        assert_eq!(declaration.asked("durable"), Some(AMQPValue::Boolean(true)));
    }
}
