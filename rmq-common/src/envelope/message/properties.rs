//! The properties of a message.

use super::name::Name;
use super::table::Table;
use super::value::{self, Fields};

/// A property that is a short string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// `content_type`
    ContentType,
    /// `content_encoding`
    ContentEncoding,
    /// `correlation_id`
    CorrelationId,
    /// `reply_to`
    ReplyTo,
    /// `expiration`, in milliseconds
    Expiration,
    /// `message_id`
    MessageId,
    /// `type`
    Type,
    /// `user_id`
    UserId,
    /// `app_id`
    AppId,
    /// `cluster_id`
    ClusterId,
}

/// A property that is one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Octet {
    /// `delivery_mode`: 1 is transient, 2 persistent
    DeliveryMode,
    /// `priority`
    Priority,
}

/// What a property is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// A short string.
    Text(Text),
    /// A byte.
    Octet(Octet),
    /// Seconds since 1970.
    Timestamp,
    /// A table.
    Headers,
}

/// The properties by name, in the order of their flags, from the highest bit on (AMQP 0-9-1,
/// section 1.8.3). The only list of them.
pub const PROPERTIES: [(&str, Property); 14] = [
    ("content_type", Property::Text(Text::ContentType)),
    ("content_encoding", Property::Text(Text::ContentEncoding)),
    ("headers", Property::Headers),
    ("delivery_mode", Property::Octet(Octet::DeliveryMode)),
    ("priority", Property::Octet(Octet::Priority)),
    ("correlation_id", Property::Text(Text::CorrelationId)),
    ("reply_to", Property::Text(Text::ReplyTo)),
    ("expiration", Property::Text(Text::Expiration)),
    ("message_id", Property::Text(Text::MessageId)),
    ("timestamp", Property::Timestamp),
    ("type", Property::Text(Text::Type)),
    ("user_id", Property::Text(Text::UserId)),
    ("app_id", Property::Text(Text::AppId)),
    ("cluster_id", Property::Text(Text::ClusterId)),
];

/// The two lowest flags: more flags, which the class basic does not have, and a reserved one.
const NOT_OURS: u16 = 0b11;

/// The properties of a message in wire format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    texts: [Option<Name>; 10],
    octets: [Option<u8>; 2],
    /// Seconds since 1970.
    pub timestamp: Option<u64>,
    /// The headers.
    pub headers: Option<Table>,
}

impl Properties {
    /// Properties with only headers.
    pub fn of_headers(headers: Option<Table>) -> Self {
        Properties { headers, ..Properties::default() }
    }

    /// Parses the flags and the properties after them; `None` if they are malformed, or the headers
    /// are nested too deep.
    pub fn read(mut raw: &[u8]) -> Option<Self> {
        let mut properties = Properties::default();
        for property in Flags::of(&mut raw)? {
            match property {
                Property::Text(text) => {
                    properties.set(text, Name::new(value::short(&mut raw)?).ok()?);
                }
                Property::Octet(octet) => {
                    properties.set_octet(octet, u8::from_be_bytes(value::take(&mut raw)?));
                }
                Property::Timestamp => {
                    properties.timestamp = Some(u64::from_be_bytes(value::take(&mut raw)?));
                }
                Property::Headers => {
                    properties.headers = Some(Table::read(value::long(&mut raw)?)?);
                }
            }
        }
        raw.is_empty().then_some(properties)
    }

    /// Appends the flags and the properties.
    pub fn put(&self, out: &mut Vec<u8>) {
        let at = out.len();
        let mut flags = 0_u16;
        out.extend([0; 2]);
        for (index, (_, property)) in PROPERTIES.iter().enumerate() {
            let before = out.len();
            match property {
                Property::Text(text) => {
                    if let Some(name) = self.get(*text) {
                        name.put(out);
                    }
                }
                Property::Octet(octet) => out.extend(self.octet(*octet)),
                Property::Timestamp => {
                    out.extend(self.timestamp.into_iter().flat_map(u64::to_be_bytes));
                }
                Property::Headers => {
                    if let Some(table) = &self.headers {
                        let bytes = table.as_bytes();
                        out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
                        out.extend_from_slice(bytes);
                    }
                }
            }
            // Each property takes at least a byte.
            if out.len() > before {
                flags |= 1 << (15 - index);
            }
        }
        if let Some(place) = out.get_mut(at..at + 2) {
            place.copy_from_slice(&flags.to_be_bytes());
        }
    }

    /// A text property, if set.
    pub fn get(&self, text: Text) -> Option<&Name> {
        self.texts.get(text as usize)?.as_ref()
    }

    /// Sets a text property.
    pub fn set(&mut self, text: Text, name: Name) {
        if let Some(place) = self.texts.get_mut(text as usize) {
            *place = Some(name);
        }
    }

    /// Removes a text property.
    pub fn remove(&mut self, text: Text) {
        if let Some(place) = self.texts.get_mut(text as usize) {
            *place = None;
        }
    }

    /// A byte property, if set.
    pub fn octet(&self, octet: Octet) -> Option<u8> {
        *self.octets.get(octet as usize)?
    }

    /// Sets a byte property.
    pub fn set_octet(&mut self, octet: Octet, value: u8) {
        if let Some(place) = self.octets.get_mut(octet as usize) {
            *place = Some(value);
        }
    }

    /// The same, completed with those of `under`; headers are not merged.
    #[must_use]
    pub fn over(&self, under: &Properties) -> Self {
        let mut both = self.clone();
        for (place, other) in both.texts.iter_mut().zip(&under.texts) {
            if place.is_none() {
                place.clone_from(other);
            }
        }
        for (place, other) in both.octets.iter_mut().zip(&under.octets) {
            *place = place.or(*other);
        }
        both.timestamp = both.timestamp.or(under.timestamp);
        if both.headers.is_none() {
            both.headers.clone_from(&under.headers);
        }
        both
    }
}

/// The properties that are set, by their flags.
struct Flags {
    flags: u16,
    next: std::slice::Iter<'static, (&'static str, Property)>,
}

impl Flags {
    /// Reads the flags.
    fn of(raw: &mut &[u8]) -> Option<Self> {
        let flags = u16::from_be_bytes(value::take(raw)?);
        (flags & NOT_OURS == 0).then(|| Flags { flags, next: PROPERTIES.iter() })
    }
}

impl Iterator for Flags {
    type Item = Property;

    fn next(&mut self) -> Option<Property> {
        loop {
            let (_, property) = self.next.next()?;
            let is_there = self.flags & 0x8000 != 0;
            self.flags <<= 1;
            if is_there {
                return Some(*property);
            }
        }
    }
}

/// Skips properties without parsing their headers: returns their length in bytes and the headers,
/// if any; `None` if they are malformed.
pub(crate) fn pass(raw: &[u8]) -> Option<(usize, Option<Fields<'_>>)> {
    let mut rest = raw;
    let mut headers = None;
    for property in Flags::of(&mut rest)? {
        match property {
            Property::Text(_) => drop(value::short(&mut rest)?),
            Property::Octet(_) => drop(value::take::<1>(&mut rest)?),
            Property::Timestamp => drop(value::take::<8>(&mut rest)?),
            Property::Headers => headers = Some(Fields::new(value::long(&mut rest)?)),
        }
    }
    Some((raw.len() - rest.len(), headers))
}

/// The headers in properties as received, not parsed.
pub(crate) fn raw_headers(raw: &[u8]) -> Option<Fields<'_>> {
    /// Their flag, in the first byte of the flags.
    const HEADERS: u8 = 0x20;
    raw.first().filter(|flags| **flags & HEADERS != 0)?;
    pass(raw)?.1
}
