//! One connection, and what is known about its consumer.

use crate::queue::subscription::Subscription;
use crate::receiver::lasting::Receiver;
use crate::receiver::leader::Leader;
use crate::receiver::pace::Pace;
use crate::receiver::quiet::Quiet;
use crate::receiver::takeover::Takeover;
use crate::stops::Stop;
use rmq_common::amqp_error::AmqpError;
use rmq_common::session::Session;
use std::time::Instant;

/// One connection.
pub struct Connected<'a> {
    pub(super) receiver: &'a mut Receiver,
    pub(super) session: Session,
    pub(super) subscription: Subscription,
    /// Whether its consumer may give way to one with another prefetch.
    pub(super) takeover: Takeover,
    /// Whether the queue is a stream.
    pub(super) is_stream: bool,
    pub(super) quiet: Quiet,
    /// Whether the queue has a leader.
    pub(super) leader: Leader,
    pub(super) pace: Pace,
    /// When something was last acknowledged.
    pub(super) acknowledged: Option<Instant>,
    /// The broker has cancelled the consumer, and that is still to be dealt with.
    pub(super) cancelled_by_broker: bool,
}

/// Why serving ends, before anything is given back.
pub(super) enum Break {
    Stop(Stop),
    Error(AmqpError),
}

impl From<AmqpError> for Break {
    fn from(error: AmqpError) -> Self {
        Break::Error(error)
    }
}
