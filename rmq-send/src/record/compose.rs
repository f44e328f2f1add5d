//! From a record to the message it becomes: where it goes, its properties, its body.

use crate::record::envelope_hint;
use crate::record::item::{Message, Record, Route};
use crate::record::properties::Properties;
use crate::record::unsupported;
use bytes::Bytes;
use rmq_common::envelope::Envelope;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::message::Name;
use rmq_common::names;
use std::sync::Arc;

/// The most bytes of an envelope's id.
const LONGEST_ID: usize = 255;
/// The byte order mark that Windows programs write before a text.
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
    /// Whether an envelope with an id and no body means that a filter has dropped the message: only
    /// if `--ack-to` reports ids does that matter.
    pub drops: bool,
    /// The header that names the file from which a record is read.
    pub source_header: Option<Name>,
}

/// What decides where a message goes.
#[derive(Clone, Debug)]
pub enum Routing {
    /// The command line, for all of them.
    Fixed(Arc<Route>),
    /// The command line names the exchange, the record its routing key, if it has one.
    Exchange(Name),
    Record,
}

/// What a record contains.
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
    /// The same, for the records of the file at `path`.
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
    pub fn compose(&self, number: u64, raw: Bytes) -> Result<Record, Failure> {
        let (key, body) = match &self.content {
            Content::Envelope => {
                let (delivery, message) = self.envelope(number, &raw)?;
                return Ok(Record { number, raw, delivery, message });
            }
            Content::Keyed(separator) => {
                let (key, from) = key(&raw, separator)?;
                (Some(key), raw.slice(from..))
            }
            Content::Body => (None, raw.clone()),
        };
        let route = self.route(None, key)?;
        let properties = self.properties.of(number);
        let message = Some(Message { route, properties, body });
        Ok(Record { number, raw, delivery: None, message })
    }

    /// The delivery that an envelope completes, and its message.
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
                let body = Bytes::copy_from_slice(body);
                Some(Message { route, properties: Arc::new(properties), body })
            }
            // For a message that it drops, a filter passes on the id alone.
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

/// `--ack-to` reports ids in lines of text, which must be written whole.
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
mod tests;
