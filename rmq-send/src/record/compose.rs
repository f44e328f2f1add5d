//! From a record to the message it becomes: where it goes, its properties, its body.

use crate::record::envelope_hint;
use crate::record::item::{Body, Message, Record, Route};
use crate::record::properties::Properties;
use crate::record::unsupported;
use rmq_common::envelope::Envelope;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::message::Name;
use rmq_common::names;
use std::sync::Arc;

/// Bytes of an envelope's id.
const LONGEST_ID: usize = 255;
/// What Windows programs write before a text.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// How records become messages.
#[derive(Clone, Debug)]
pub struct Composer {
    /// Where they go.
    pub routing: Routing,
    /// What a record's bytes are.
    pub content: Content,
    /// The properties that the command line gives.
    pub properties: Properties,
    /// Whether an envelope with an id and no body says that a filter has dropped the message: only
    /// where `--ack-to` reports ids is there anything to be done about it.
    pub drops: bool,
    /// The header that names the file a record is read from.
    pub source_header: Option<Name>,
}

/// Who says where a message goes.
#[derive(Clone, Debug)]
pub enum Routing {
    /// The command line, for all of them.
    Fixed(Arc<Route>),
    /// The command line names the exchange, the record its routing key, if it has one.
    Exchange(Name),
    Record,
}

/// What a record's bytes are.
#[derive(Clone, Debug)]
pub enum Content {
    Body,
    /// A routing key, this separator, and the body.
    Keyed(Vec<u8>),
    /// A JSON envelope.
    Envelope,
}

type Composed = (Option<Arc<str>>, Option<Message>);

impl Composer {
    /// The same for the records of the file at `path`.
    pub fn of_source(&self, path: Option<&str>) -> Self {
        let mut composer = self.clone();
        if let (Some(header), Some(path)) = (&self.source_header, path) {
            composer.properties.set_header(header, path.as_bytes());
        }
        composer
    }

    /// The record `number` and its message.
    ///
    /// # Errors
    /// What is wrong with it, without its position (65).
    pub fn compose(&self, number: u64, raw: Arc<[u8]>) -> Result<Record, Failure> {
        let (key, body) = match &self.content {
            Content::Envelope => {
                let (delivery, message) = self.envelope(number, &raw)?;
                return Ok(Record { number, raw, delivery, message });
            }
            Content::Keyed(separator) => {
                let (key, from) = key(&raw, separator)?;
                (Some(key), Body::new(raw.clone(), from))
            }
            Content::Body => (None, Body::new(raw.clone(), 0)),
        };
        let route = self.route(None, key)?;
        let properties = self.properties.of(number);
        let message = Some(Message { route, properties, body });
        Ok(Record { number, raw, delivery: None, message })
    }

    /// The delivery that an envelope ends, and its message.
    fn envelope(&self, number: u64, raw: &[u8]) -> Result<Composed, Failure> {
        let line = raw.strip_prefix(BOM).unwrap_or(raw);
        let envelope = Envelope::decode(line).map_err(|mut bad| {
            bad.column += raw.len() - line.len();
            Failure::data(format!("{bad}{}", envelope_hint::of(line)))
        })?;
        let message = match &envelope.body {
            Some(body) => {
                unsupported::headers(&envelope.properties)?;
                let route = self.route(envelope.exchange.clone(), envelope.routing_key.clone())?;
                let overrides = !matches!(self.routing, Routing::Record);
                let properties = self.properties.with(number, &envelope, overrides);
                let body = Body::new(Arc::from(&**body), 0);
                Some(Message { route, properties: Arc::new(properties), body })
            }
            // A filter passes on nothing but the id of what it drops.
            None if envelope.id.is_some() && self.drops => None,
            None => {
                let hint = envelope_hint::of(line);
                let text = "no \"body\" and no \"body_base64\"";
                return Err(Failure::data(format!("{text}{hint}")));
            }
        };
        if let Some(id) = &envelope.id {
            check_id(id)?;
        }
        let delivery = envelope.id.filter(|_| !envelope.more).map(|id| Arc::from(&*id));
        Ok((delivery, message))
    }

    fn route(&self, exchange: Option<Name>, key: Option<Name>) -> Result<Arc<Route>, Failure> {
        let (exchange, routing_key) = match (&self.routing, exchange, key) {
            (Routing::Fixed(route), _, _) => return Ok(route.clone()),
            (Routing::Exchange(exchange), _, key) => (exchange.clone(), key.unwrap_or_default()),
            (Routing::Record, exchange, Some(key)) => (exchange.unwrap_or_default(), key),
            (Routing::Record, Some(exchange), None) if !exchange.is_empty() => {
                (exchange, Name::default())
            }
            (Routing::Record, _, None) => {
                let text = "no destination: \"routing_key\" is missing";
                return Err(Failure::data(text));
            }
        };
        if exchange.is_empty() && routing_key.is_empty() {
            return Err(Failure::data("its routing key, which names the queue, is empty"));
        }
        if exchange.is_empty() {
            names::not_reply_to(routing_key.text().unwrap_or_default())
                .map_err(|why| Failure::data(format!("publish to {why}")))?;
        }
        Ok(Arc::new(Route { exchange, routing_key }))
    }
}

/// `--ack-to` tells ids in lines of text, which must be written whole.
fn check_id(id: &str) -> Result<(), Failure> {
    let fits = (1..=LONGEST_ID).contains(&id.len());
    if fits && id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Failure::data(format!("the id is not 1 to {LONGEST_ID} visible ASCII characters")))
}

/// The key before the separator, and where the body begins.
fn key(raw: &[u8], separator: &[u8]) -> Result<(Name, usize), Failure> {
    let Some(end) = memchr::memmem::find(raw, separator) else {
        let separator = separator.escape_ascii();
        return Err(Failure::data(format!("no separator '{separator}' in it")));
    };
    let key = names::name(Exit::DataErr, "the routing key", &raw[..end])?;
    Ok((key, end + separator.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composer(routing: Routing, content: Content) -> Composer {
        Composer {
            routing,
            content,
            properties: Properties::default(),
            drops: true,
            source_header: None,
        }
    }

    fn fixed() -> Routing {
        let routing_key = Name::new("jobs").unwrap();
        Routing::Fixed(Arc::new(Route { routing_key, ..Route::default() }))
    }

    fn composed(composer: &Composer, raw: &[u8]) -> Record {
        composer.compose(1, raw.into()).unwrap()
    }

    fn refused(composer: &Composer, raw: &[u8]) -> String {
        composer.compose(1, raw.into()).unwrap_err().to_string()
    }

    fn route(record: &Record) -> String {
        record.message.as_ref().unwrap().route.shown()
    }

    #[test]
    fn a_key_is_what_stands_before_the_first_separator() {
        let composer = composer(Routing::Record, Content::Keyed(b"::".to_vec()));
        let record = composed(&composer, b"a.b::c::d");
        assert_eq!(route(&record), "a.b");
        assert_eq!(*record.message.unwrap().body, *b"c::d");
        assert_eq!(refused(&composer, b"a:b"), "no separator '::' in it");
        assert_eq!(route(&composed(&composer, b"a\xff::b")), "'a\\xff'");
        let long = [b"k".repeat(256), b"::".to_vec()].concat();
        assert_eq!(refused(&composer, &long), "the routing key has 256 bytes; AMQP allows 255");
    }

    #[test]
    fn without_routed_the_command_line_is_over_the_record() {
        let keyed = Content::Keyed(b":".to_vec());
        assert_eq!(route(&composed(&composer(fixed(), keyed.clone()), b"k:b")), "jobs");
        let logs = Routing::Exchange(Name::new("logs").unwrap());
        let record = composed(&composer(logs.clone(), keyed), b"k:b");
        assert_eq!(route(&record), "exchange logs with key k");
        let json = br#"{"exchange":"x","routing_key":"k","body":"b"}"#;
        let shown = |routing| route(&composed(&composer(routing, Content::Envelope), json));
        assert_eq!(shown(fixed()), "jobs");
        assert_eq!(shown(logs), "exchange logs with key k");
        assert_eq!(shown(Routing::Record), "exchange x with key k");
    }

    #[test]
    fn an_envelope_says_where_it_goes_when_it_has_to() {
        let composer = composer(Routing::Record, Content::Envelope);
        assert_eq!(
            refused(&composer, br#"{"body":"b"}"#),
            "no destination: \"routing_key\" is missing"
        );
        assert_eq!(
            route(&composed(&composer, br#"{"exchange":"fan","body":"b"}"#)),
            "exchange fan"
        );
    }

    #[test]
    fn an_id_without_a_body_is_a_delivery_that_was_dropped() {
        let composer = composer(fixed(), Content::Envelope);
        let record = composed(&composer, br#"{"id":"7","type":"left from before"}"#);
        assert_eq!(record.delivery.as_deref(), Some("7"));
        assert!(record.message.is_none());
        let record = composed(&composer, br#"{"id":"7","more":true,"body":"b"}"#);
        assert_eq!(record.delivery, None);
        assert!(record.message.is_some());
        let none = "no \"body\" and no \"body_base64\"";
        assert!(refused(&composer, br#"{"type":"t"}"#).starts_with(none));
        // Nothing but --ack-to gives an id a meaning: an application's record may have one too.
        let composer = Composer { drops: false, ..composer };
        let refusal = refused(&composer, br#"{"id":"u-1","type":"order"}"#);
        assert!(refusal.starts_with(none) && refusal.ends_with("--format lines)"), "{refusal}");
    }

    #[test]
    fn a_byte_order_mark_before_an_envelope_is_skipped_and_counted() {
        let composer = composer(fixed(), Content::Envelope);
        let record = composed(&composer, b"\xef\xbb\xbf{\"body\":\"b\"}");
        assert_eq!(*record.message.unwrap().body, *b"b");
        assert!(record.raw.starts_with(BOM));
        let refusal = refused(&composer, b"\xef\xbb\xbf{\"priority\":\"b\",\"body\":\"\"}");
        assert!(refusal.starts_with("column 16: \"priority\" takes"), "{refusal}");
    }

    #[test]
    fn an_empty_key_names_no_queue_but_may_be_an_exchanges() {
        let keyed = composer(Routing::Record, Content::Keyed(b":".to_vec()));
        assert_eq!(refused(&keyed, b":b"), "its routing key, which names the queue, is empty");
        let json = composer(Routing::Record, Content::Envelope);
        let empty = br#"{"routing_key":"","body":"b"}"#;
        assert_eq!(refused(&json, empty), "its routing key, which names the queue, is empty");
        let logs = Routing::Exchange(Name::new("logs").unwrap());
        let keyed = composer(logs, Content::Keyed(b":".to_vec()));
        assert_eq!(route(&composed(&keyed, b":b")), "exchange logs");
    }

    #[test]
    fn what_a_requester_consumes_from_takes_no_record() {
        let bare = b"amq.rabbitmq.reply-to:b";
        let keyed = composer(Routing::Record, Content::Keyed(b":".to_vec()));
        assert!(refused(&keyed, bare).contains("it is not a queue"));
        let logs = Routing::Exchange(Name::new("logs").unwrap());
        composed(&composer(logs, Content::Keyed(b":".to_vec())), bare);
        composed(&keyed, b"amq.rabbitmq.reply-to.token:b");
    }

    #[test]
    fn a_source_is_named_in_the_header_asked_for() {
        let composer = composer(fixed(), Content::Body);
        let source_header = Some(Name::new("path").unwrap());
        let composer = Composer { source_header, ..composer };
        let header = |composer: &Composer| {
            let properties = composed(composer, b"line").message.unwrap().properties;
            let names = properties.headers.iter().flat_map(|table| table.fields());
            names.map(|field| field.name.escape_ascii().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(header(&composer.of_source(Some("/var/log/a"))), ["path"]);
        assert!(header(&composer.of_source(None)).is_empty());
    }

    #[test]
    fn what_rabbitmq_does_not_carry_is_no_record() {
        let composer = composer(fixed(), Content::Envelope);
        let refusal = refused(
            &composer,
            br#"{"headers":{"n":[{"deep":{"$double":"7ff8000000000000"}}]},"body":"b"}"#,
        );
        let wanted = "header n: a float that is NaN or infinite, which RabbitMQ does not carry";
        assert_eq!(refusal, wanted);
    }
}
