//! `--with-dlq`: the dead-letter queue, and the arguments that route to it.

use crate::queue::queue_arguments::{
    DEAD_LETTER_EXCHANGE, DEAD_LETTER_KEY, DEAD_LETTER_STRATEGY, DELIVERY_LIMIT, GROUP_SIZE,
    MAX_BYTES, MAX_LENGTH, OVERFLOW,
};
use crate::queue::queue_type::QueueType;
use crate::queue::shape::Shape;
use crate::values::argument_value::long;
use lapin::types::{AMQPValue, FieldTable};
use rmq_common::failure::Failure;

const SUFFIX: &str = ".dlq";

pub fn name(queue: &str) -> String {
    format!("{queue}{SUFFIX}")
}

impl Shape {
    /// The same, with its dead letters sent to the queue `dlq`.
    ///
    /// At-least-once requires a quorum queue with reject-publish. A queue without limits never
    /// overflows, so there reject-publish refuses nothing and is chosen. With a limit it would
    /// refuse messages that drop-head accepts, so the user has to choose.
    ///
    /// # Errors
    /// A stream, or a queue whose dead letters already go elsewhere (64).
    pub fn with_dead_letters_to(&self, dlq: &str) -> Result<Self, Failure> {
        if self.queue_type == QueueType::Stream {
            return Err(Failure::usage(
                "--with-dlq: streams have no dead letters (rabbitmq.com/docs/streams)",
            ));
        }
        for (key, option) in [
            (DEAD_LETTER_EXCHANGE, "--dead-letter-exchange"),
            (DEAD_LETTER_KEY, "--dead-letter-key"),
        ] {
            if self.has(key) {
                return Err(Failure::usage(format!("--with-dlq and {option} cannot be combined")));
            }
        }
        let mut wired = self.clone();
        wired.set(DEAD_LETTER_EXCHANGE, long(""));
        wired.set(DEAD_LETTER_KEY, long(dlq));
        if self.queue_type == QueueType::Quorum && !self.has(DEAD_LETTER_STRATEGY) {
            if !self.has(OVERFLOW) && !self.is_bounded() {
                wired.set(OVERFLOW, long("reject-publish"));
            }
            if wired.is(OVERFLOW, "reject-publish") {
                wired.set(DEAD_LETTER_STRATEGY, long("at-least-once"));
            }
        }
        Ok(wired)
    }

    /// The dead-letter queue for a queue like this: of the same type and number of members, and
    /// without a delivery limit, which would drop the messages that it has to keep.
    pub fn of_dead_letters(&self) -> Self {
        let mut dlq =
            Shape { auto_delete: false, arguments: FieldTable::default(), ..self.clone() };
        if self.queue_type == QueueType::Quorum {
            dlq.set(DELIVERY_LIMIT, AMQPValue::LongLongInt(-1));
            if let Some(size) = self.get(GROUP_SIZE) {
                dlq.set(GROUP_SIZE, size.clone());
            }
        }
        dlq
    }

    fn is_bounded(&self) -> bool {
        self.has(MAX_LENGTH) || self.has(MAX_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;
    use argh::FromArgs;

    fn shape(words: &str) -> Result<Shape, Failure> {
        let words: Vec<&str> = words.split(' ').chain(["--with-dlq"]).collect();
        Shape::from_options(&Arguments::from_args(&["rmq-declare"], &words).unwrap())
    }

    fn wired(words: &str) -> Shape {
        shape(words).unwrap().with_dead_letters_to("jobs.dlq").unwrap()
    }

    #[test]
    fn dead_letters_go_at_least_once_where_the_arguments_allow_it() {
        for words in ["--group-size 3", "--overflow reject-publish --max-length 5"] {
            let wired = wired(words);
            assert!(wired.is(DEAD_LETTER_STRATEGY, "at-least-once"), "{words}");
            assert!(wired.is(OVERFLOW, "reject-publish"), "{words}");
            assert!(wired.is(DEAD_LETTER_EXCHANGE, "") && wired.is(DEAD_LETTER_KEY, "jobs.dlq"));
        }
        for words in ["--max-length 5", "--max-bytes 5", "--overflow drop-head", "--type classic"] {
            let wired = wired(words);
            assert!(!wired.has(DEAD_LETTER_STRATEGY), "{words}");
            assert!(wired.is(DEAD_LETTER_KEY, "jobs.dlq"));
        }
        assert!(!wired("--max-length 5").has(OVERFLOW));
        assert!(
            wired("--dead-letter-strategy at-most-once").is(DEAD_LETTER_STRATEGY, "at-most-once")
        );
    }

    #[test]
    fn the_dead_letter_queue_is_of_the_same_type_and_drops_nothing() {
        let dlq = shape("--group-size 5 --max-length 9").unwrap().of_dead_letters();
        assert_eq!(dlq.get(DELIVERY_LIMIT), Some(&AMQPValue::LongLongInt(-1)));
        assert_eq!(dlq.get(GROUP_SIZE), Some(&AMQPValue::LongLongInt(5)));
        assert!(!dlq.has(MAX_LENGTH));
        let dlq = shape("--type classic --max-priority 5").unwrap().of_dead_letters();
        assert!(!dlq.has_arguments());
    }

    #[test]
    fn dead_letters_cannot_go_two_ways_and_streams_have_none() {
        for words in [
            "--dead-letter-exchange x",
            "--arg x-dead-letter-exchange=x",
            "--type stream",
            "--dead-letter-strategy at-least-once",
        ] {
            assert_eq!(shape(words).unwrap_err().exit().status(), 64, "{words}");
        }
    }
}
