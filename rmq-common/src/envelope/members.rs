//! What an envelope holds.

use crate::envelope::message::{Name, Properties};
use std::borrow::Cow;

/// One message, and what is known about its delivery.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Envelope<'a> {
    /// The delivery's own name, by which `--ack-to` says that it is done.
    pub id: Option<Cow<'a, str>>,
    /// More envelopes with this `id` follow; it is done with the first that has no more.
    pub more: bool,
    /// The exchange that it was published to, or shall be.
    pub exchange: Option<Name>,
    /// The routing key that it was published with, or shall be.
    pub routing_key: Option<Name>,
    /// The broker has delivered it before.
    pub redelivered: bool,
    /// How often the broker has counted a delivery of it before.
    pub delivery_count: Option<u64>,
    /// `"delivery_mode":null`: the message has none, which is more than saying nothing about it.
    /// A message that is sent again then has none either.
    pub no_delivery_mode: bool,
    /// The fourteen basic properties, headers among them.
    pub properties: Properties,
    /// The body; in a pipeline, none says that the filter has dropped the message.
    pub body: Option<Cow<'a, [u8]>>,
}
