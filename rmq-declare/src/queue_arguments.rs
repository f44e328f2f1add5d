//! Which option is which of RabbitMQ's optional arguments, and for which types of queue.

use crate::argument_value::long;
use crate::arguments::Arguments;
use crate::option_value::QueueType::{self, Classic, Quorum, Stream};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use rmq_common::failure::Failure;

/// The argument that says which type a queue is.
pub const TYPE: &str = "x-queue-type";
/// Of how many members a quorum queue is made.
pub const GROUP_SIZE: &str = "x-quorum-initial-group-size";
/// How often a message may come back.
pub const DELIVERY_LIMIT: &str = "x-delivery-limit";
/// What a full queue does.
pub const OVERFLOW: &str = "x-overflow";
/// Where dead letters go.
pub const DEAD_LETTER_EXCHANGE: &str = "x-dead-letter-exchange";
/// With which routing key.
pub const DEAD_LETTER_KEY: &str = "x-dead-letter-routing-key";
/// And how surely.
pub const DEAD_LETTER_STRATEGY: &str = "x-dead-letter-strategy";

/// An option and the argument it stands for.
struct Row {
    option: &'static str,
    key: &'static str,
    types: &'static [QueueType],
    /// What the command line gives it; `None` where it gives nothing.
    value: fn(&Arguments) -> Option<AMQPValue>,
}

/// Every typed option. The types are those of
/// <https://www.rabbitmq.com/docs/queues#optional-arguments> and of each type's own guide; the
/// broker refuses the others ("invalid arg"). It takes a leader locator for classic queues from
/// 4.0 on only, so that is left for it to judge.
const TABLE: [Row; 13] = [
    Row {
        option: "--group-size",
        key: GROUP_SIZE,
        types: &[Quorum],
        value: |options| integer(options.group_size),
    },
    Row {
        option: "--group-size",
        key: "x-initial-cluster-size",
        types: &[Stream],
        value: |options| integer(options.group_size),
    },
    Row {
        option: "--delivery-limit",
        key: DELIVERY_LIMIT,
        types: &[Quorum],
        value: |options| integer(options.delivery_limit.map(|limit| limit.value())),
    },
    Row {
        option: "--max-length",
        key: "x-max-length",
        types: &[Quorum, Classic],
        value: |options| integer(options.max_length),
    },
    Row {
        option: "--max-bytes",
        key: "x-max-length-bytes",
        types: &[Quorum, Classic, Stream],
        value: |options| integer(options.max_bytes),
    },
    Row {
        option: "--overflow",
        key: OVERFLOW,
        types: &[Quorum, Classic],
        value: |options| text(options.overflow.as_deref()),
    },
    Row {
        option: "--message-ttl",
        key: "x-message-ttl",
        types: &[Quorum, Classic],
        value: |options| integer(options.message_ttl),
    },
    Row {
        option: "--expires",
        key: "x-expires",
        types: &[Quorum, Classic],
        value: |options| integer(options.expires),
    },
    Row {
        option: "--dead-letter-exchange",
        key: DEAD_LETTER_EXCHANGE,
        types: &[Quorum, Classic],
        value: |options| text(options.dead_letter_exchange.as_deref()),
    },
    Row {
        option: "--dead-letter-key",
        key: DEAD_LETTER_KEY,
        types: &[Quorum, Classic],
        value: |options| text(options.dead_letter_key.as_deref()),
    },
    Row {
        option: "--dead-letter-strategy",
        key: DEAD_LETTER_STRATEGY,
        types: &[Quorum],
        value: |options| text(options.dead_letter_strategy.as_deref()),
    },
    Row {
        option: "--single-active-consumer",
        key: "x-single-active-consumer",
        types: &[Quorum, Classic],
        value: |options| options.single_active_consumer.then_some(AMQPValue::Boolean(true)),
    },
    Row {
        option: "--leader-locator",
        key: "x-queue-leader-locator",
        types: &[Quorum, Classic, Stream],
        value: |options| text(options.leader_locator.as_deref()),
    },
];

fn integer(value: Option<i64>) -> Option<AMQPValue> {
    value.map(AMQPValue::LongLongInt)
}

fn text(value: Option<&str>) -> Option<AMQPValue> {
    value.map(long)
}

/// The option that stands for the argument `key`, for messages.
pub fn option_of(key: &str) -> Option<&'static str> {
    match key {
        TYPE => Some("--type"),
        key => TABLE.iter().find(|row| row.key == key).map(|row| row.option),
    }
}

/// The arguments the command line asks for, without the type.
///
/// # Errors
/// An option that this type of queue does not have, or an argument given twice (64).
pub fn from_options(options: &Arguments, queue_type: QueueType) -> Result<FieldTable, Failure> {
    let mut table = FieldTable::default();
    for row in &TABLE {
        let Some(value) = (row.value)(options) else {
            continue;
        };
        if row.types.contains(&queue_type) {
            insert(&mut table, ShortString::try_new(row.key).unwrap_or_default(), value)?;
        } else if !types_of(row.option).any(|other| other == queue_type) {
            let types: Vec<_> = types_of(row.option).map(QueueType::plural).collect();
            return Err(Failure::usage(format!(
                "{}: {} have no such argument, only {}",
                row.option,
                queue_type.plural(),
                types.join(" and ")
            )));
        }
    }
    for extra in &options.arg {
        if extra.key.as_str() == TYPE {
            return Err(Failure::usage(format!("--arg {TYPE}: say it with --type")));
        }
        insert(&mut table, extra.key.clone(), extra.value.clone())?;
    }
    Ok(table)
}

fn types_of(option: &str) -> impl Iterator<Item = QueueType> {
    TABLE.iter().filter(move |row| row.option == option).flat_map(|row| row.types.iter().copied())
}

fn insert(table: &mut FieldTable, key: ShortString, value: AMQPValue) -> Result<(), Failure> {
    if table.contains_key(key.as_str()) {
        return Err(Failure::usage(format!("{key} is given twice")));
    }
    table.insert(key, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use argh::FromArgs;

    fn table(words: &str) -> Result<FieldTable, Failure> {
        let words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
        let options = Arguments::from_args(&["rmq-declare"], &words).unwrap();
        from_options(&options, options.queue_type.unwrap_or(Quorum))
    }

    fn pairs(words: &str) -> Vec<(String, AMQPValue)> {
        let table = table(words).unwrap();
        table.into_iter().map(|(key, value)| (key.to_string(), value.clone())).collect()
    }

    #[test]
    fn every_typed_option_is_its_argument_in_rabbitmqs_units() {
        let int = AMQPValue::LongLongInt;
        let cases = [
            ("--group-size 5", GROUP_SIZE, int(5)),
            ("--type stream --group-size 5", "x-initial-cluster-size", int(5)),
            ("--delivery-limit 7", DELIVERY_LIMIT, int(7)),
            ("--delivery-limit unlimited", DELIVERY_LIMIT, int(-1)),
            ("--max-length 10", "x-max-length", int(10)),
            ("--max-bytes 1000", "x-max-length-bytes", int(1000)),
            ("--overflow reject-publish", OVERFLOW, long("reject-publish")),
            ("--message-ttl 60s", "x-message-ttl", int(60_000)),
            ("--expires 1h", "x-expires", int(3_600_000)),
            ("--dead-letter-exchange dlx", DEAD_LETTER_EXCHANGE, long("dlx")),
            ("--dead-letter-key k", DEAD_LETTER_KEY, long("k")),
            ("--dead-letter-strategy at-least-once", DEAD_LETTER_STRATEGY, long("at-least-once")),
            ("--single-active-consumer", "x-single-active-consumer", AMQPValue::Boolean(true)),
            ("--leader-locator balanced", "x-queue-leader-locator", long("balanced")),
            ("--arg x-new=5", "x-new", int(5)),
        ];
        for (words, key, value) in cases {
            assert_eq!(pairs(words), [(key.to_owned(), value)], "{words}");
        }
        assert!(pairs("").is_empty());
    }

    #[test]
    fn an_option_the_type_does_not_have_is_refused_and_says_which_types_do() {
        let failure = table("--type stream --delivery-limit 5").unwrap_err();
        assert_eq!(failure.exit().status(), 64);
        assert_eq!(
            failure.to_string(),
            "--delivery-limit: streams have no such argument, only quorum queues"
        );
        let failure = table("--type classic --group-size 3").unwrap_err();
        assert!(failure.to_string().ends_with("only quorum queues and streams"), "{failure}");
    }

    #[test]
    fn an_argument_cannot_be_given_twice() {
        for words in [
            "--max-length 5 --arg x-max-length=6",
            "--arg a=1 --arg a=1",
            "--arg x-queue-type=classic",
        ] {
            assert_eq!(table(words).unwrap_err().exit().status(), 64, "{words}");
        }
    }

    #[test]
    fn a_difference_can_be_told_by_its_option() {
        assert_eq!(option_of("x-max-length-bytes"), Some("--max-bytes"));
        assert_eq!(option_of("x-queue-type"), Some("--type"));
        assert_eq!(option_of("x-new"), None);
    }
}
