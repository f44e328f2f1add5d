//! Parses an envelope from its line.

pub(super) mod headers;
pub(super) mod malformed;
mod scanner;
mod text;
mod typed;
mod values;

use crate::envelope::members::Envelope;
use crate::envelope::message::{PROPERTIES, Properties, Property};
use malformed::{Malformed, quoted, suggestion};
use scanner::{Kind, Name, Scanner};
use std::borrow::Cow;
use typed::{UNSIGNED_8, UNSIGNED_64};

/// The members that are not properties: those before and after them.
const BEFORE: [&str; 6] =
    ["id", "more", "exchange", "routing_key", "redelivered", "delivery_count"];
const AFTER: [&str; 2] = ["body", "body_base64"];

/// Every member of an envelope, in the order of writing.
fn members() -> impl Iterator<Item = &'static str> + Clone {
    let properties = PROPERTIES.iter().map(|(name, _)| *name);
    BEFORE.into_iter().chain(properties).chain(AFTER)
}

/// How many members there are.
const MEMBERS: usize = BEFORE.len() + PROPERTIES.len() + AFTER.len();

impl<'a> Envelope<'a> {
    /// Parses a line, without its newline. A body without escapes is borrowed from it.
    ///
    /// # Errors
    /// What is wrong, and in which column.
    pub fn decode(line: &'a [u8]) -> Result<Self, Malformed> {
        decode(line)
    }
}

/// Parses one line, without its newline.
fn decode(line: &[u8]) -> Result<Envelope<'_>, Malformed> {
    let text = std::str::from_utf8(line).map_err(|error| {
        let problem = "not UTF-8; a body of any bytes goes into \"body_base64\"";
        Malformed::at(error.valid_up_to(), problem)
    })?;
    let mut scanner = Scanner::new(text);
    if scanner.kind() != Ok(Kind::Object) {
        return Err(scanner.expected("an object such as {\"body\":\"text\"}"));
    }
    scanner.enter();
    let mut envelope = Envelope::default();
    let mut seen = [false; MEMBERS];
    let mut first = true;
    // Members usually come in the order of writing, so the search continues from the last.
    let mut search = members().enumerate().cycle();
    while let Some(name) = scanner.member(first)? {
        first = false;
        let place = search.by_ref().take(MEMBERS).find(|(_, member)| *member == name.text);
        if let Some((place, _)) = place
            && let Some(seen) = seen.get_mut(place)
            && std::mem::replace(seen, true)
        {
            return Err(Malformed::at(name.offset, format!("a second {}", quoted(&name.text))));
        }
        member(&mut envelope, &mut scanner, &name)?;
    }
    scanner.end("the object")?;
    Ok(envelope)
}

/// Parses the value of the member `name` into `envelope`.
fn member<'a>(
    envelope: &mut Envelope<'a>,
    scanner: &mut Scanner<'a>,
    name: &Name<'_>,
) -> Result<(), Malformed> {
    let subject = name.text.as_ref();
    // Null is refused like any other wrong type, except for the delivery mode. In a filter that
    // builds a new envelope (`{id, body}`) it means a forgotten member, and treating it as missing
    // would drop the message.
    match subject {
        "id" => envelope.id = Some(values::text(scanner, subject)?),
        "more" => envelope.more = values::boolean(scanner, subject)?,
        "exchange" => envelope.exchange = Some(values::short(scanner, subject)?),
        "routing_key" => envelope.routing_key = Some(values::short(scanner, subject)?),
        "redelivered" => envelope.redelivered = values::boolean(scanner, subject)?,
        "delivery_count" => {
            envelope.delivery_count = Some(values::integer(scanner, subject, UNSIGNED_64)?);
        }
        "body" | "body_base64" if envelope.body.is_some() => {
            let problem = "both \"body\" and \"body_base64\"; an envelope has one of them";
            return Err(Malformed::at(name.offset, problem));
        }
        "body" => {
            envelope.body = Some(match values::text(scanner, subject)? {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            });
        }
        "body_base64" => envelope.body = Some(Cow::Owned(values::bytes(scanner, subject)?)),
        "delivery_mode" if scanner.kind()? == Kind::Null => {
            scanner.word(Kind::Null);
            envelope.no_delivery_mode = true;
        }
        _ => property(&mut envelope.properties, scanner, name)?,
    }
    Ok(())
}

/// Parses the value of the property `name` into `properties`.
fn property(
    properties: &mut Properties,
    scanner: &mut Scanner<'_>,
    name: &Name<'_>,
) -> Result<(), Malformed> {
    let subject = name.text.as_ref();
    match PROPERTIES.iter().find(|(known, _)| *known == subject) {
        Some((_, Property::Text(text))) => properties.set(*text, values::short(scanner, subject)?),
        Some((_, Property::Octet(octet))) => {
            properties.set_octet(*octet, values::integer(scanner, subject, UNSIGNED_8)?);
        }
        Some((_, Property::Timestamp)) => {
            properties.timestamp = Some(values::integer(scanner, subject, UNSIGNED_64)?);
        }
        Some((_, Property::Headers)) => {
            properties.headers = Some(headers::table(scanner, subject)?);
        }
        None => {
            let hint = suggestion(subject, members());
            let problem = format!("unknown member {}{hint}", quoted(subject));
            return Err(Malformed::at(name.offset, problem));
        }
    }
    Ok(())
}
