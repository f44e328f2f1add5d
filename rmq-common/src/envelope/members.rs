//! The contents of an envelope.

use crate::envelope::message::{Name, Properties};
use std::borrow::Cow;

/// One message, and the facts of its delivery.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Envelope<'a> {
    /// The delivery's id, with which `--ack-to` reports that it is done.
    pub id: Option<Cow<'a, str>>,
    /// More envelopes with this `id` follow; the delivery is done with the first one without
    /// `more`.
    pub more: bool,
    /// The exchange that it was or will be published to.
    pub exchange: Option<Name>,
    /// The routing key that it was or will be published with.
    pub routing_key: Option<Name>,
    /// Whether the broker has delivered it before.
    pub redelivered: bool,
    /// The number of earlier deliveries that the broker counted.
    pub delivery_count: Option<u64>,
    /// `"delivery_mode":null`: the message has none, which is more than an absent member, and has
    /// none when sent again.
    pub no_delivery_mode: bool,
    /// The fourteen basic properties, including headers.
    pub properties: Properties,
    /// The body; in a pipeline, none means that the filter dropped the message.
    pub body: Option<Cow<'a, [u8]>>,
}
