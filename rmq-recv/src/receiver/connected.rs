//! One connection, and what is known of its consumer.

use crate::queue::subscription::Subscription;
use crate::receiver::idle::Idle;
use crate::receiver::lasting::Receiver;
use crate::receiver::leader::Leader;
use crate::receiver::pace::Pace;
use crate::receiver::takeover::Takeover;
use crate::stops::Stop;
use rmq_common::amqp_error::AmqpError;
use rmq_common::session::Session;
use std::time::{Duration, Instant};

/// How long nothing must come before the queue is looked at (`--drain`), or before a consumer that
/// has to be cancelled is.
pub(super) const QUIET: Duration = Duration::from_millis(20);

/// One connection.
pub struct Connected<'a> {
    pub(super) receiver: &'a mut Receiver,
    pub(super) session: Session,
    pub(super) subscription: Subscription,
    /// How far its consumer may give way to one with another prefetch.
    pub(super) takeover: Takeover,
    /// The queue is a stream.
    pub(super) is_stream: bool,
    /// When the last message came, or the queue was last looked at.
    pub(super) quiet_since: Instant,
    pub(super) quiet: Duration,
    pub(super) idle: Idle,
    /// Whether the queue has a leader.
    pub(super) leader: Leader,
    pub(super) pace: Pace,
    /// When something was last acknowledged.
    pub(super) acknowledged: Option<Instant>,
    /// Since when nothing has come, for `--idle`.
    pub(super) nothing_since: Instant,
    /// The broker has cancelled the consumer, and that is still to be dealt with.
    pub(super) cancelled_by_broker: bool,
    /// With `--drain`: the queue was seen empty, and nothing has come since.
    pub(super) seen_empty: bool,
    /// With `--drain`: the broker may have given the channel what never reached us.
    pub(super) suspect: bool,
    /// It was reported what is waited for.
    pub(super) wait_reported: bool,
}

/// Why serving ends, before anything is let go.
pub(super) enum Break {
    Stop(Stop),
    Error(AmqpError),
}

impl From<AmqpError> for Break {
    fn from(error: AmqpError) -> Self {
        Break::Error(error)
    }
}
