//! The properties that the command line gives to messages.

use crate::arguments::Arguments;
use crate::headers;
use lapin::BasicProperties;
use lapin::types::{FieldTable, ShortString};
use rmq_common::envelope::Envelope;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::{duration, names};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// As AMQP numbers the delivery modes (specification, section 1.8, basic properties).
const TRANSIENT: u8 = 1;
const PERSISTENT: u8 = 2;

/// What the command line says of properties.
#[derive(Clone, Debug, Default)]
pub struct Properties {
    /// Those that are the same for every message.
    given: BasicProperties,
    /// The same, with what a message has where nothing is said.
    complete: Arc<BasicProperties>,
    /// Begins the ids that `--message-id auto` gives.
    automatic_id: Option<String>,
    /// Whether messages carry the time.
    timestamp: bool,
}

impl Properties {
    /// What `arguments` say.
    ///
    /// # Errors
    /// A value that AMQP cannot carry (64).
    pub fn new(arguments: &Arguments) -> Result<Self, Failure> {
        let mut given = BasicProperties::default();
        type With = fn(BasicProperties, ShortString) -> BasicProperties;
        let texts: [(&str, &Option<String>, With); 6] = [
            ("--content-type", &arguments.content_type, BasicProperties::with_content_type),
            (
                "--content-encoding",
                &arguments.content_encoding,
                BasicProperties::with_content_encoding,
            ),
            ("--type", &arguments.message_type, BasicProperties::with_type),
            ("--app-id", &arguments.app_id, BasicProperties::with_app_id),
            ("--correlation-id", &arguments.correlation_id, BasicProperties::with_correlation_id),
            ("--reply-to", &arguments.reply_to, BasicProperties::with_reply_to),
        ];
        for (option, value, with) in texts {
            if let Some(value) = value {
                given = with(given, short(option, value)?);
            }
        }
        if let Some(priority) = arguments.priority {
            given = given.with_priority(priority);
        }
        if let Some(time) = &arguments.expiration {
            given = given.with_expiration(expiration(time)?);
        }
        if arguments.transient {
            given = given.with_delivery_mode(TRANSIENT);
        }
        let automatic = arguments.message_id.as_deref() == Some("auto");
        let automatic_id = if automatic { Some(rmq_common::random::id()?) } else { None };
        if let (Some(id), false) = (&arguments.message_id, automatic) {
            given = given.with_message_id(short("--message-id", id)?);
        }
        let mut table = FieldTable::default();
        for header in &arguments.header {
            let (name, value) = headers::parse(header).map_err(Failure::usage)?;
            if table.contains_key(name.as_str()) {
                let name = names::shown(name.as_str()).into_owned();
                return Err(Failure::usage(format!(
                    "-H {header}: the header {name} is given twice; a name has one value (several \
                     as -H {name}:json='[\"a\",\"b\"]')"
                )));
            }
            table.insert(name, value);
        }
        if !arguments.header.is_empty() {
            given = given.with_headers(table);
        }
        let complete = Arc::new(completed(given.clone()));
        Ok(Properties { given, complete, automatic_id, timestamp: arguments.timestamp })
    }

    /// Those of the record `number`, which has none of its own.
    pub fn of(&self, number: u64) -> Arc<BasicProperties> {
        if self.automatic_id.is_none() && !self.timestamp {
            return self.complete.clone();
        }
        Arc::new(self.varying(number, (*self.complete).clone()))
    }

    /// Those of the record `number`, which brings its `envelope`'s. The command line's are over the
    /// record's where it `overrides` them, else they fill in what is missing; headers are told
    /// apart by their names.
    pub fn with(&self, number: u64, envelope: &Envelope<'_>, overrides: bool) -> BasicProperties {
        let own = &envelope.properties;
        let merged = match overrides {
            true => merged(&self.given, own),
            false => merged(own, &self.given),
        };
        let complete = match envelope.no_delivery_mode {
            true => merged,
            false => completed(merged),
        };
        self.varying(number, complete)
    }

    /// What differs from message to message. An id that a message brings stays: readers of an
    /// earlier copy know it by it.
    fn varying(&self, number: u64, mut properties: BasicProperties) -> BasicProperties {
        if let Some(run) = &self.automatic_id
            && properties.message_id().is_none()
            && let Ok(id) = ShortString::try_new(format!("{run}-{number}"))
        {
            properties = properties.with_message_id(id);
        }
        if self.timestamp {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            properties = properties.with_timestamp(now.as_secs());
        }
        properties
    }
}

/// With what a message has where nothing is said.
fn completed(properties: BasicProperties) -> BasicProperties {
    match properties.delivery_mode() {
        Some(_) => properties,
        None => properties.with_delivery_mode(PERSISTENT),
    }
}

/// `over`, and what only `under` has.
fn merged(over: &BasicProperties, under: &BasicProperties) -> BasicProperties {
    let mut merged = under.clone();
    macro_rules! take {
        ($($property:ident $with:ident),* $(,)?) => {
            $(if let Some(value) = over.$property() {
                merged = merged.$with(value.clone());
            })*
        };
    }
    take!(
        content_type with_content_type,
        content_encoding with_content_encoding,
        delivery_mode with_delivery_mode,
        priority with_priority,
        correlation_id with_correlation_id,
        reply_to with_reply_to,
        expiration with_expiration,
        message_id with_message_id,
        timestamp with_timestamp,
        kind with_type,
        user_id with_user_id,
        app_id with_app_id,
        cluster_id with_cluster_id,
    );
    if let Some(headers) = over.headers() {
        let mut table = under.headers().clone().unwrap_or_default();
        for (name, value) in headers {
            table.insert(name.clone(), value.clone());
        }
        merged = merged.with_headers(table);
    }
    merged
}

/// The property is milliseconds in digits (RabbitMQ's TTL guide). A bare number is seconds with our
/// other options, so that a unit has to say which is meant, as rmq-declare asks for one.
fn expiration(time: &str) -> Result<ShortString, Failure> {
    let problem = |why: &str| Failure::usage(format!("--expiration {time}: {why}"));
    let milliseconds = duration::parse(time).map_err(|why| problem(&why))?.as_millis();
    if milliseconds > 0 && time.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(problem(&format!("write {time}ms or {time}s, whichever is meant")));
    }
    // The broker's own bound: 2^32 - 1 milliseconds.
    if milliseconds > u128::from(u32::MAX) {
        return Err(problem("more than 49 days"));
    }
    short("--expiration", &milliseconds.to_string())
}

/// A short string of the command line.
///
/// # Errors
/// It is too long for AMQP (64).
pub fn short(what: &str, text: &str) -> Result<ShortString, Failure> {
    names::short(Exit::Usage, what, text)
}
