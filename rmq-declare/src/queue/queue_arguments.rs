//! The one table of a queue's arguments: their options, the types of queue and the releases that
//! have them, how their values are written, and what a policy can change.

use crate::arguments::Arguments;
use crate::queue::queue_type::QueueType::{self, Classic, Quorum, Stream};
use crate::values::argument_value::long;
use crate::values::spelling;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use rmq_common::declaration::age;
use rmq_common::failure::Failure;
use rmq_common::server::Server;

pub const TYPE: &str = "x-queue-type";
/// The initial number of members of a quorum queue.
pub const GROUP_SIZE: &str = "x-quorum-initial-group-size";
/// The initial number of members of a stream.
pub const CLUSTER_SIZE: &str = "x-initial-cluster-size";
pub const DELIVERY_LIMIT: &str = "x-delivery-limit";
pub const MAX_LENGTH: &str = "x-max-length";
pub const MAX_BYTES: &str = "x-max-length-bytes";
pub const OVERFLOW: &str = "x-overflow";
pub const DEAD_LETTER_EXCHANGE: &str = "x-dead-letter-exchange";
pub const DEAD_LETTER_KEY: &str = "x-dead-letter-routing-key";
pub const DEAD_LETTER_STRATEGY: &str = "x-dead-letter-strategy";
pub const DELAYED_RETRY_TYPE: &str = "x-delayed-retry-type";
pub const DELAYED_RETRY_MIN: &str = "x-delayed-retry-min";
pub const MAX_AGE: &str = "x-max-age";

/// Arguments of queues without an option, because RabbitMQ from 3.10 on ignores them.
pub const OBSOLETE: [&str; 2] = ["x-max-in-memory-length", "x-max-in-memory-bytes"];

#[derive(Debug)]
pub struct Row {
    /// With its hyphens.
    pub option: &'static str,
    pub key: &'static str,
    /// The types of queue that have it.
    pub types: &'static [QueueType],
    /// The first release that knows it, if later than 3.10. Earlier ones accept and ignore it.
    pub since: Option<(u32, u32)>,
    /// The first release that accepts but ignores it.
    pub until: Option<(u32, u32)>,
    /// The first release that compares it, if later than the first that knows it.
    pub compared: Option<(u32, u32)>,
    /// What a policy of that name, without the `x-`, does to an existing queue.
    pub policy: Policy,
    /// A value of the broker's as the option spells it.
    spelt: fn(&str) -> String,
    /// The value from the command line; `None` if not given.
    value: fn(&Arguments) -> Option<AMQPValue>,
}

/// What a policy can change (<https://www.rabbitmq.com/docs/policies>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Nothing.
    Cannot,
    /// It applies to queues without the argument.
    Gives,
    /// The same; and if both are set, the smaller number applies.
    Lowers,
}

const fn row(
    option: &'static str,
    key: &'static str,
    types: &'static [QueueType],
    policy: Policy,
    value: fn(&Arguments) -> Option<AMQPValue>,
) -> Row {
    let spelt = str::to_owned;
    Row { option, key, types, since: None, until: None, compared: None, policy, spelt, value }
}

impl Row {
    const fn since(mut self, major: u32, minor: u32) -> Self {
        self.since = Some((major, minor));
        self
    }

    const fn compared(mut self, major: u32, minor: u32) -> Self {
        self.compared = Some((major, minor));
        self
    }

    const fn spelt(mut self, spelt: fn(&str) -> String) -> Self {
        self.spelt = spelt;
        self
    }

    const fn until(mut self, major: u32, minor: u32) -> Self {
        self.until = Some((major, minor));
        self
    }
}

/// Every typed option. The types are those of
/// <https://www.rabbitmq.com/docs/queues#optional-arguments>, of each type's own guide, and of
/// `capabilities/0` of the modules in 3.10.8, 4.0.5 and 4.3.6; the broker refuses the others
/// ("invalid arg"). The broker judges two cases: it accepts a leader locator for classic queues
/// only from 4.0 on, and a consumer timeout for them only up to 4.2.
#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    row("--group-size", GROUP_SIZE, &[Quorum], Policy::Cannot,
        |options| integer(options.group_size)),
    row("--group-size", CLUSTER_SIZE, &[Stream], Policy::Cannot,
        |options| integer(options.group_size)),
    row("--delivery-limit", DELIVERY_LIMIT, &[Quorum], Policy::Lowers,
        |options| integer(options.delivery_limit.map(|limit| limit.value())))
        .spelt(spelling::delivery_limit),
    row("--max-length", MAX_LENGTH, &[Quorum, Classic], Policy::Lowers,
        |options| integer(options.max_length)),
    row("--max-bytes", MAX_BYTES, &[Quorum, Classic, Stream], Policy::Lowers,
        |options| integer(options.max_bytes)),
    row("--overflow", OVERFLOW, &[Quorum, Classic], Policy::Gives,
        |options| text(options.overflow.as_deref())),
    row("--message-ttl", "x-message-ttl", &[Quorum, Classic], Policy::Lowers,
        |options| integer(options.message_ttl)).spelt(spelling::time),
    row("--expires", "x-expires", &[Quorum, Classic], Policy::Lowers,
        |options| integer(options.expires)).spelt(spelling::time),
    row("--dead-letter-exchange", DEAD_LETTER_EXCHANGE, &[Quorum, Classic], Policy::Gives,
        |options| text(options.dead_letter_exchange.as_deref())),
    row("--dead-letter-key", DEAD_LETTER_KEY, &[Quorum, Classic], Policy::Gives,
        |options| text(options.dead_letter_key.as_deref())),
    row("--dead-letter-strategy", DEAD_LETTER_STRATEGY, &[Quorum], Policy::Gives,
        |options| text(options.dead_letter_strategy.as_deref())),
    row("--single-active-consumer", "x-single-active-consumer", &[Quorum, Classic], Policy::Cannot,
        |options| options.single_active_consumer.then_some(AMQPValue::Boolean(true))),
    row("--leader-locator", "x-queue-leader-locator", &[Quorum, Classic, Stream], Policy::Cannot,
        |options| text(options.leader_locator.as_deref())),
    row("--consumer-timeout", "x-consumer-timeout", &[Quorum, Classic], Policy::Lowers,
        |options| integer(options.consumer_timeout)).spelt(spelling::time).since(3, 12)
        .compared(4, 3),
    row("--consumer-disconnected-timeout", "x-consumer-disconnected-timeout", &[Quorum],
        Policy::Gives, |options| integer(options.consumer_disconnected_timeout))
        .spelt(spelling::time).since(4, 3),
    row("--delayed-retry-type", DELAYED_RETRY_TYPE, &[Quorum], Policy::Gives,
        |options| text(options.delayed_retry_type.as_deref())).since(4, 3),
    row("--delayed-retry-min", DELAYED_RETRY_MIN, &[Quorum], Policy::Gives,
        |options| integer(options.delayed_retry_min)).spelt(spelling::time).since(4, 3),
    row("--delayed-retry-max", "x-delayed-retry-max", &[Quorum], Policy::Gives,
        |options| integer(options.delayed_retry_max)).spelt(spelling::time).since(4, 3),
    row("--max-age", MAX_AGE, &[Stream], Policy::Gives,
        |options| text(options.max_age.as_deref())).spelt(age),
    row("--max-segment-bytes", "x-stream-max-segment-size-bytes", &[Stream], Policy::Gives,
        |options| integer(options.max_segment_bytes)),
    row("--filter-bytes", "x-stream-filter-size-bytes", &[Stream], Policy::Gives,
        |options| integer(options.filter_bytes)).since(3, 13).compared(4, 3),
    row("--max-priority", "x-max-priority", &[Classic], Policy::Cannot,
        |options| integer(options.max_priority)),
    row("--queue-mode", "x-queue-mode", &[Classic], Policy::Gives,
        |options| text(options.queue_mode.as_deref())).until(3, 12),
    row("--queue-version", "x-queue-version", &[Classic], Policy::Gives,
        |options| integer(options.queue_version)),
    row("--master-locator", "x-queue-master-locator", &[Classic], Policy::Cannot,
        |options| text(options.master_locator.as_deref())).until(4, 3),
    row("--type", TYPE, &[Quorum, Classic, Stream], Policy::Cannot, |_| None),
];

fn integer(value: Option<i64>) -> Option<AMQPValue> {
    value.map(AMQPValue::LongLongInt)
}

fn text(value: Option<&str>) -> Option<AMQPValue> {
    value.map(long)
}

pub fn row_of(key: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.key == key)
}

/// The option for the argument `key`, for messages.
pub fn option_of(key: &str) -> Option<&'static str> {
    row_of(key).map(|row| row.option)
}

/// The value `text` of the argument `key`, as its option spells it.
pub fn spelt(key: &str, text: &str) -> String {
    row_of(key).map_or_else(|| text.to_owned(), |row| (row.spelt)(text))
}

/// The first typed option on the command line.
pub fn first_given(options: &Arguments) -> Option<&'static str> {
    TABLE.iter().find(|row| (row.value)(options).is_some()).map(|row| row.option)
}

/// The arguments on the command line, without the type.
///
/// # Errors
/// An option that this type of queue does not have, or an argument given twice (64).
pub fn from_options(options: &Arguments, queue_type: QueueType) -> Result<FieldTable, Failure> {
    let mut table = FieldTable::default();
    for row in TABLE {
        let Some(value) = (row.value)(options) else {
            continue;
        };
        if row.types.contains(&queue_type) {
            insert(&mut table, ShortString::try_new(row.key).unwrap_or_default(), value)?;
        } else if !types_of(row.option).any(|other| other == queue_type) {
            let types: Vec<_> = types_of(row.option).map(QueueType::plural).collect();
            return Err(Failure::usage(format!(
                "{}: {} have no such argument, only {} (rabbitmq.com/docs/queues)",
                row.option,
                queue_type.plural(),
                types.join(" and ")
            )));
        }
    }
    for extra in &options.arg {
        if extra.key.as_str() == TYPE {
            return Err(Failure::usage(format!("--arg {TYPE}: use --type")));
        }
        insert(&mut table, extra.key.clone(), extra.value.clone())?;
    }
    Ok(table)
}

/// The argument that a broker like `server` would accept and ignore, because it does not know it
/// yet, and would not even compare. `None` if it knows all.
pub fn unknown_to(server: &Server, arguments: &FieldTable) -> Option<String> {
    let version = version_of(server)?;
    let mut rows = TABLE.iter().filter(|row| arguments.contains_key(row.key));
    rows.find_map(|Row { option, key, since, .. }| {
        let (major, minor) = since.filter(|since| !server.is_rabbitmq_from(since.0, since.1))?;
        Some(format!(
            "RabbitMQ {version} does not know {option} ({key}) and would silently ignore it: it \
             exists from {major}.{minor} on"
        ))
    })
}

/// The arguments that a broker like `server` still accepts but ignores.
pub fn ignored_by(server: Option<&Server>, arguments: &FieldTable) -> Vec<String> {
    let Some(version) = server.and_then(version_of) else {
        return Vec::new();
    };
    let rows = TABLE.iter().filter(|row| arguments.contains_key(row.key));
    let ignored = rows.filter_map(|Row { option, key, until, .. }| {
        let (major, minor) = (*until)?;
        server.filter(|server| server.is_rabbitmq_from(major, minor))?;
        Some(format!("RabbitMQ {version} accepts {option} ({key}) but ignores it"))
    });
    ignored.collect()
}

/// The arguments that a broker like `server` does not compare, so that a declaration confirms any
/// value.
pub fn not_compared(server: Option<&Server>, arguments: &FieldTable) -> Vec<String> {
    let Some((server, version)) = server.and_then(|it| Some((it, version_of(it)?))) else {
        return Vec::new();
    };
    let names = arguments.into_iter().map(|(name, _)| name.as_str());
    let sentences = names.filter_map(|name| {
        let what = match row_of(name) {
            Some(Row { option, compared: Some((major, minor)), .. })
                if !server.is_rabbitmq_from(*major, *minor) =>
            {
                format!("{option} ({name})")
            }
            None if !OBSOLETE.contains(&name) => name.to_owned(),
            _ => return None,
        };
        Some(format!(
            "RabbitMQ {version} does not compare {what}, so --check cannot detect a difference"
        ))
    });
    sentences.collect()
}

/// The release, if the broker is RabbitMQ: other brokers have releases of their own.
fn version_of(server: &Server) -> Option<&str> {
    server.is_rabbitmq_from(3, 0).then_some(server.version.as_str())
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
mod tests;
