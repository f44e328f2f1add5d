//! What the command line says about where messages go and what is read.

use crate::arguments::Arguments;
use crate::input::framing::Format;
use crate::input::sources::Source;
use crate::record::compose::{Content, Routing};
use crate::record::item::Route;
use crate::record::properties::short;
use rmq_common::backslash::unescape;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::message::Name;
use rmq_common::{escape, names};
use std::sync::Arc;

/// Where messages go, and how they are made.
#[derive(Debug)]
pub struct Destination {
    /// What decides where a message goes.
    pub routing: Routing,
    /// What a record contains.
    pub content: Content,
    /// How records are delimited in the input.
    pub format: Format,
    /// What to read.
    pub sources: Vec<Source>,
}

impl Destination {
    /// Reads the destination from `arguments`.
    ///
    /// # Errors
    /// They contradict each other (64), contain too long a name (65), or name a missing file (74).
    pub fn new(arguments: &Arguments) -> Result<Self, Failure> {
        let format = format(arguments)?;
        let content = content(arguments, format)?;
        let (routing, files) = routing(arguments, &content)?;
        let follows = arguments.follows();
        let sources = match &arguments.body {
            Some(_) if follows => {
                let text = "--body cannot be combined with --follow or --positions";
                return Err(Failure::usage(text));
            }
            Some(_) if !files.is_empty() => {
                let file = &files[0];
                return Err(Failure::usage(format!(
                    "--body cannot be combined with a file to read: {file}"
                )));
            }
            Some(text) => vec![Source::Text(text.0.clone())],
            None if follows => followed(files, format)?,
            None => Source::of(files)?,
        };
        // A text on the command line is one record, whatever is in it.
        let format = match (&arguments.body, format) {
            (Some(_), Format::Json) => Format::Json,
            (Some(_), _) => Format::Whole,
            (None, format) => format,
        };
        Ok(Destination { routing, content, format, sources })
    }

    /// The queue or exchange of all messages, whatever the records say; it is checked first.
    pub fn begins_with(&self) -> Option<Arc<Route>> {
        match &self.routing {
            Routing::Fixed(route) => Some(route.clone()).filter(|route| !route.is_to_requester()),
            Routing::Exchange(exchange) if !exchange.is_empty() => {
                Some(Arc::new(Route { exchange: exchange.clone(), ..Route::default() }))
            }
            Routing::Exchange(_) | Routing::Record => None,
        }
    }

    /// Where all messages go, if the command line says so for all of them.
    pub fn fixed(&self) -> Option<Arc<Route>> {
        match &self.routing {
            Routing::Fixed(route) => Some(route.clone()),
            Routing::Exchange(_) | Routing::Record => None,
        }
    }
}

/// Checks that these files can be followed. They are not sources that are read to their ends.
fn followed(files: &[String], format: Format) -> Result<Vec<Source>, Failure> {
    if files.is_empty() {
        return Err(Failure::usage("--follow and --positions require a FILE"));
    }
    if files.iter().any(|file| file == "-") {
        return Err(Failure::usage("--follow and --positions cannot be used on standard input"));
    }
    if files.iter().any(String::is_empty) {
        return Err(Failure::usage("the name of a FILE to read is empty"));
    }
    if matches!(format, Format::Length | Format::Whole) {
        let text = "--follow and --positions require --format lines, nul or json";
        return Err(Failure::usage(text));
    }
    Ok(files.iter().cloned().map(Source::File).collect())
}

fn format(arguments: &Arguments) -> Result<Format, Failure> {
    match (arguments.format, arguments.nul) {
        (None | Some(Format::Nul), true) => Ok(Format::Nul),
        (Some(_), true) => Err(Failure::usage("--nul and another --format cannot be combined")),
        (format, false) => Ok(format.unwrap_or(Format::Lines)),
    }
}

fn content(arguments: &Arguments, format: Format) -> Result<Content, Failure> {
    match (&arguments.key_separator, format) {
        (Some(_), Format::Json) => Err(Failure::usage(
            "--key-separator and --format json cannot be combined: an envelope has its own key",
        )),
        (Some(text), _) if text.0.is_empty() => {
            Err(Failure::usage("--key-separator '': the separator is empty"))
        }
        (Some(text), _) => match unescape(&text.0) {
            Ok(separator) => Ok(Content::Keyed(separator)),
            Err(why) => Err(Failure::usage(format!(
                "--key-separator '{}': {why}",
                escape::escape(&text.0, escape::is_control)
            ))),
        },
        (None, Format::Json) => Ok(Content::Envelope),
        (None, _) => Ok(Content::Body),
    }
}

fn routing<'a>(
    arguments: &'a Arguments,
    content: &Content,
) -> Result<(Routing, &'a [String]), Failure> {
    let operands = &arguments.operands;
    match (arguments.routed, &arguments.exchange, &arguments.routing_key) {
        (true, Some(_), _) => Err(Failure::usage("--routed and --exchange cannot be combined")),
        (true, _, Some(_)) => Err(Failure::usage("--routed and --routing-key cannot be combined")),
        (true, None, None) => match content {
            Content::Body => {
                Err(Failure::usage("--routed requires --format json or --key-separator"))
            }
            Content::Keyed(_) | Content::Envelope => Ok((Routing::Record, operands)),
        },
        (false, None, Some(_)) => Err(Failure::usage("--routing-key requires --exchange")),
        (false, Some(exchange), key) => {
            names::not_a_url("--exchange", exchange)?;
            let exchange = short("--exchange", exchange.as_bytes())?;
            let says_key = !matches!(content, Content::Body);
            let routing = match key {
                None if says_key => Routing::Exchange(exchange),
                key => {
                    let key = key.as_ref().map(|key| key.0.as_slice()).unwrap_or_default();
                    let routing_key = short("--routing-key", key)?;
                    if exchange.is_empty() && key.is_empty() {
                        let text = "--exchange '' sends to the queue that --routing-key names, \
                                    which is empty";
                        return Err(Failure::usage(text));
                    }
                    if exchange.is_empty() {
                        queue(key)?;
                    }
                    Routing::Fixed(Arc::new(Route { exchange, routing_key }))
                }
            };
            Ok((routing, operands))
        }
        (false, None, None) => {
            let Some((queue, files)) = operands.split_first() else {
                return Err(Failure::usage("no destination: give QUEUE, --exchange or --routed"));
            };
            if queue.is_empty() {
                return Err(Failure::usage("the queue's name is empty"));
            }
            let routing_key = self::queue(queue.as_bytes())?;
            let exchange = Name::default();
            Ok((Routing::Fixed(Arc::new(Route { exchange, routing_key })), files))
        }
    }
}

/// A queue's name.
fn queue(name: &[u8]) -> Result<Name, Failure> {
    if let Ok(text) = std::str::from_utf8(name) {
        names::queue(text)?;
    }
    names::name(Exit::DataErr, "the queue's name", name)
}
