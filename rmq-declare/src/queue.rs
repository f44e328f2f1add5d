//! The queues that are wanted, and what can be said about them before a broker is asked.

use crate::argument_value::long;
use crate::arguments::Arguments;
use crate::option_value::QueueType;
use crate::queue_arguments::{
    self, DEAD_LETTER_EXCHANGE, DEAD_LETTER_KEY, DEAD_LETTER_STRATEGY, DELIVERY_LIMIT, GROUP_SIZE,
    OVERFLOW, TYPE,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use rmq_common::failure::Failure;
use rmq_common::server::Server;

/// What a queue is to be like; its name is not part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    queue_type: QueueType,
    arguments: FieldTable,
}

impl Shape {
    /// What the command line asks for.
    ///
    /// # Errors
    /// Options that do not go with each other, or with the type (64).
    pub fn from_options(options: &Arguments) -> Result<Self, Failure> {
        let queue_type = options.queue_type.unwrap_or(QueueType::Quorum);
        let arguments = queue_arguments::from_options(options, queue_type)?;
        let shape = Shape { queue_type, arguments };
        shape.check()?;
        Ok(shape)
    }

    /// Refuses what the broker would refuse, or worse, accept and not do.
    fn check(&self) -> Result<(), Failure> {
        let has_exchange = self.has(DEAD_LETTER_EXCHANGE);
        if self.has(DEAD_LETTER_KEY) && !has_exchange {
            return Err(Failure::usage(
                "--dead-letter-key needs --dead-letter-exchange: there is nowhere to route to",
            ));
        }
        if self.is(DEAD_LETTER_STRATEGY, "at-least-once") {
            // https://www.rabbitmq.com/docs/quorum-queues#activating-at-least-once-dead-lettering
            if !has_exchange {
                return Err(Failure::usage(
                    "--dead-letter-strategy at-least-once needs --dead-letter-exchange: \
                     there is nowhere to send dead letters",
                ));
            }
            if !self.is(OVERFLOW, "reject-publish") {
                return Err(Failure::usage(
                    "--dead-letter-strategy at-least-once needs --overflow reject-publish: \
                     with drop-head RabbitMQ silently falls back to at-most-once",
                ));
            }
        }
        Ok(())
    }

    /// What is worth knowing of such a queue on a broker like `server`.
    pub fn warnings(&self, server: Option<&Server>) -> Vec<String> {
        self.of_even_group().into_iter().chain(self.of_dropping(server)).collect()
    }

    /// An even group costs a member more and survives no more.
    fn of_even_group(&self) -> Option<String> {
        let Some(AMQPValue::LongLongInt(size)) = self.get(GROUP_SIZE) else {
            return None;
        };
        let size = *size;
        (size > 0 && size % 2 == 0).then(|| {
            let survives = match (size - 1) / 2 {
                0 => "no loss of a node".to_owned(),
                1 => "the loss of 1 node".to_owned(),
                nodes => format!("the loss of {nodes} nodes"),
            };
            let (less, more) = (size - 1, size + 1);
            format!("--group-size {size} survives {survives}, as {less} does; use {less} or {more}")
        })
    }

    /// Messages that come back too often are dropped where nothing takes them.
    fn of_dropping(&self, server: Option<&Server>) -> Option<String> {
        let limit = match self.get(DELIVERY_LIMIT) {
            Some(AMQPValue::LongLongInt(limit)) if *limit < 0 => return None,
            Some(AMQPValue::LongLongInt(limit)) => format!("more than {limit} times"),
            _ if !limits_deliveries(server) => return None,
            _ => "too often (more than 20 times by default)".to_owned(),
        };
        if self.queue_type != QueueType::Quorum || self.has(DEAD_LETTER_EXCHANGE) {
            return None;
        }
        Some(format!(
            "without --dead-letter-exchange a message that comes back {limit} is dropped; \
             give one, or --delivery-limit unlimited"
        ))
    }

    /// The arguments for a broker like `server`.
    ///
    /// `--delivery-limit unlimited` is -1 from RabbitMQ 4.0 on. Earlier releases have no limit
    /// unless one is given, take -1 without a word and then drop every message the first time it
    /// comes back (seen on 3.10.8), so there the argument is left out.
    pub fn arguments(&self, server: Option<&Server>) -> FieldTable {
        let unlimited = AMQPValue::LongLongInt(-1);
        let mut table = FieldTable::default();
        table.insert(short(TYPE), long(self.queue_type.name()));
        for (key, value) in &self.arguments {
            let is_default = key.as_str() == DELIVERY_LIMIT && *value == unlimited;
            if !is_default || limits_deliveries(server) {
                table.insert(key.clone(), value.clone());
            }
        }
        table
    }

    /// Whether dead letters are to go somewhere, which takes further permissions.
    pub fn has_dead_letter_exchange(&self) -> bool {
        self.has(DEAD_LETTER_EXCHANGE)
    }

    /// Whether anything but the type is asked for.
    pub fn has_arguments(&self) -> bool {
        !self.arguments.inner().is_empty()
    }

    /// Its type.
    pub fn queue_type(&self) -> QueueType {
        self.queue_type
    }

    fn get(&self, key: &str) -> Option<&AMQPValue> {
        self.arguments.inner().get(key)
    }

    fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn is(&self, key: &str, text: &str) -> bool {
        self.get(key) == Some(&long(text))
    }
}

/// Whether quorum queues have a delivery limit unless told otherwise: RabbitMQ from 4.0 on
/// (<https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling>).
fn limits_deliveries(server: Option<&Server>) -> bool {
    server.is_some_and(|server| server.is_rabbitmq_from(4, 0))
}

/// A name as AMQP carries it.
///
/// # Errors
/// A name no queue can have (65).
pub fn name(text: &str) -> Result<ShortString, Failure> {
    let problem = |why: &str| {
        // A name that is too long need not be shown in full.
        let shown: String = text.chars().take(60).collect();
        let more = if shown.len() < text.len() { "..." } else { "" };
        Failure::data(format!("queue '{}{more}': {why}", shown.escape_debug()))
    };
    if text.is_empty() {
        return Err(problem("the name is empty"));
    }
    if text.contains(['\n', '\r']) {
        // RabbitMQ takes them out and answers for the queue that is called so then.
        return Err(problem("a name cannot have a line break in it"));
    }
    ShortString::try_new(text)
        .map_err(|_| problem(&format!("the name has {} bytes; AMQP takes 255", text.len())))
}

/// A name of an argument of ours; they are all shorter than the limit.
fn short(text: &str) -> ShortString {
    ShortString::try_new(text).unwrap_or_default()
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
        assert!(why("--overflow reject-publish").contains("needs --dead-letter-exchange"));
        assert!(why("--dead-letter-exchange x").contains("needs --overflow reject-publish"));
        assert!(why("--dead-letter-exchange x --overflow drop-head").contains("falls back"));
        assert!(why("--dead-letter-exchange x --arg x-overflow=drop-head").contains("falls back"));
        for overflow in ["--overflow reject-publish", "--arg x-overflow=reject-publish"] {
            assert!(shape(&format!("{at_least_once} {overflow} --dead-letter-exchange x")).is_ok());
        }
        assert!(shape("--dead-letter-key k").is_err());
    }

    #[test]
    fn an_even_group_is_warned_of() {
        assert_eq!(
            shape("--group-size 4").unwrap().of_even_group().unwrap(),
            "--group-size 4 survives the loss of 1 node, as 3 does; use 3 or 5"
        );
        assert!(
            shape("--group-size 2").unwrap().of_even_group().unwrap().contains("no loss of a node")
        );
        assert_eq!(shape("--group-size 5").unwrap().of_even_group(), None);
        assert_eq!(shape("").unwrap().of_even_group(), None);
    }

    #[test]
    fn messages_that_will_be_dropped_are_warned_of_where_there_is_a_limit() {
        let (old, new) = (rabbitmq("3.13.7"), rabbitmq("4.0.5"));
        let warns = |words: &str, server: &Server| {
            shape(words).unwrap().of_dropping(Some(server)).is_some()
        };
        assert!(warns("", &new));
        assert!(!warns("", &old));
        assert!(warns("--delivery-limit 5", &old));
        for words in [
            "--dead-letter-exchange x",
            "--delivery-limit unlimited",
            "--type classic",
            "--type stream",
            "--delivery-limit 5 --dead-letter-exchange x",
        ] {
            assert!(!warns(words, &new), "{words}");
        }
        assert_eq!(shape("").unwrap().of_dropping(None), None);
    }

    #[test]
    fn unlimited_is_minus_one_only_where_that_does_not_lose_messages() {
        let shape = shape("--delivery-limit unlimited --max-length 5").unwrap();
        let limit =
            |server: Option<&Server>| shape.arguments(server).inner().get(DELIVERY_LIMIT).cloned();
        assert_eq!(limit(Some(&rabbitmq("4.0.5"))), Some(AMQPValue::LongLongInt(-1)));
        assert_eq!(limit(Some(&rabbitmq("3.10.8"))), None);
        assert_eq!(limit(None), None);
        let arguments = shape.arguments(None);
        assert_eq!(arguments.inner().get(TYPE), Some(&long("quorum")));
        assert_eq!(arguments.inner().get("x-max-length"), Some(&AMQPValue::LongLongInt(5)));
    }

    #[test]
    fn a_name_no_queue_can_have_is_refused_before_the_broker_changes_it() {
        for text in ["", "a\nb", "a\r", &"q".repeat(256)] {
            assert_eq!(name(text).unwrap_err().exit().status(), 65, "{text:?}");
        }
        for text in ["q", "a\tb", " ", "é", &"q".repeat(255)] {
            assert_eq!(name(text).unwrap().as_str(), text);
        }
    }
}
