//! A message as it arrived, in the buffers that the socket was read into.

use super::allowance::Ticket;
use super::wire::Span;
use crate::envelope::message::{Properties, Value, raw_headers};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// A buffer that the socket was read into.
pub(super) type Bytes = Arc<Vec<u8>>;

/// A message as it arrived. It counts as waiting as long as it is held.
#[derive(Debug)]
pub struct Content {
    pub(super) bytes: Bytes,
    pub(super) consumer: Span,
    pub(super) exchange: Span,
    pub(super) routing_key: Span,
    pub(super) properties: Span,
    pub(super) body: Body,
    pub(super) _ticket: Option<Ticket>,
}

/// Where a body is.
#[derive(Debug)]
pub(super) enum Body {
    /// In the same buffer as everything else.
    Here(Span),
    /// In several frames, or in another buffer.
    Pieces(Vec<(Bytes, Span)>),
}

impl Content {
    /// A message of which only the body is known.
    pub fn of_body(body: Vec<u8>) -> Self {
        let (here, none) = (Span { from: 0, to: body.len() }, Span::default());
        Content {
            bytes: Arc::new(body),
            consumer: none,
            exchange: none,
            routing_key: none,
            properties: none,
            body: Body::Here(here),
            _ticket: None,
        }
    }

    /// The tag of the consumer that it was delivered to; empty for a returned message.
    pub fn consumer(&self) -> &[u8] {
        self.consumer.of(&self.bytes)
    }

    /// The exchange's name.
    pub fn exchange(&self) -> &[u8] {
        self.exchange.of(&self.bytes)
    }

    /// The routing key.
    pub fn routing_key(&self) -> &[u8] {
        self.routing_key.of(&self.bytes)
    }

    /// The property flags and the properties, as they are in the content header.
    pub fn raw_properties(&self) -> &[u8] {
        self.properties.of(&self.bytes)
    }

    /// The properties, parsed; `None` if they are malformed.
    pub fn properties(&self) -> Option<Properties> {
        Properties::read(self.raw_properties())
    }

    /// The first header with this name. Nothing else is parsed.
    pub fn header(&self, name: &[u8]) -> Option<Value<'_>> {
        let mut fields = raw_headers(self.raw_properties())?;
        fields.find(|field| field.name == name).map(|field| field.value)
    }

    /// The size of the body in bytes.
    pub fn body_len(&self) -> usize {
        match &self.body {
            Body::Here(span) => span.len(),
            Body::Pieces(pieces) => pieces.iter().map(|(_, span)| span.len()).sum(),
        }
    }

    /// The body, piece by piece.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.shared().map(|(bytes, range)| bytes.get(range).unwrap_or_default())
    }

    /// The buffers that contain the body, and the ranges in them.
    pub fn shared(&self) -> impl Iterator<Item = (&Arc<Vec<u8>>, Range<usize>)> {
        let (here, pieces) = match &self.body {
            Body::Here(span) => (Some((&self.bytes, span.range())), &[][..]),
            Body::Pieces(pieces) => (None, pieces.as_slice()),
        };
        here.into_iter().chain(pieces.iter().map(|(bytes, span)| (bytes, span.range())))
    }

    /// The body in one piece; copied if it arrived in several.
    pub fn body(&self) -> Cow<'_, [u8]> {
        match &self.body {
            Body::Here(span) => Cow::Borrowed(span.of(&self.bytes)),
            Body::Pieces(_) => {
                let mut whole = Vec::with_capacity(self.body_len());
                self.pieces().for_each(|piece| whole.extend_from_slice(piece));
                Cow::Owned(whole)
            }
        }
    }
}
