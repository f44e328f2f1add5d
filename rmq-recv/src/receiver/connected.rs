//! One connection, and what is known of its consumer.

use crate::queue::subscription::Subscription;
use crate::receiver::idle::Idle;
use crate::receiver::lasting::Receiver;
use crate::receiver::pace::Pace;
use crate::receiver::takeover::Takeover;
use crate::stops::Stop;
use rmq_common::amqp_error::AmqpError;
use rmq_common::session::Session;
use std::time::{Duration, Instant};

/// How long nothing must come before the queue is looked at (`--drain`), or before a consumer that
/// has to be cancelled is.
pub(crate) const QUIET: Duration = Duration::from_millis(20);

/// One connection.
pub struct Connected<'a> {
    pub(crate) receiver: &'a mut Receiver,
    pub(crate) session: Session,
    pub(crate) subscription: Subscription,
    /// How far its consumer may give way to one with another prefetch.
    pub(crate) takeover: Takeover,
    /// The queue is a stream.
    pub(crate) is_stream: bool,
    /// When the last message came, or the queue was last looked at.
    pub(crate) quiet_since: Instant,
    pub(crate) quiet: Duration,
    pub(crate) idle: Idle,
    pub(crate) pace: Pace,
    /// When something was last acknowledged.
    pub(crate) acknowledged: Option<Instant>,
    /// Since when nothing has come, for `--idle`.
    pub(crate) nothing_since: Instant,
    /// The broker has cancelled the consumer, and that is still to be dealt with.
    pub(crate) cancelled_by_broker: bool,
    /// With `--drain`: the queue was seen empty, and nothing has come since.
    pub(crate) seen_empty: bool,
    /// With `--drain`: the broker may have given the channel what never reached us.
    pub(crate) suspect: bool,
    /// It was reported what is waited for.
    pub(crate) wait_reported: bool,
}

/// Why serving ends, before anything is let go.
pub(crate) enum Break {
    Stop(Stop),
    Error(AmqpError),
}

impl From<AmqpError> for Break {
    fn from(error: AmqpError) -> Self {
        Break::Error(error)
    }
}
