//! What a run keeps, whichever connection it is on.

use crate::delivery::message::{Arrived, Counts};
use crate::queue::offset::Offset;
use crate::receiver::earlier::Earlier;
use crate::receiver::hand::Hand;
use crate::receiver::tally::Tally;
use crate::settings::Settings;
use crate::sink::Sink;
use crate::stops::Stops;
use lapin::types::ShortString;
use rmq_common::amqp_error::{AmqpError, Missing, Refusal, Refused};
use rmq_common::connection::Broker;
use rmq_common::count::counted;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::duration::Limit;
use rmq_common::failure::Failure;
use rmq_common::standing::live::Live;
use rmq_common::standing::vigil::{LONG, Vigil};
use std::time::Instant;

/// The number of deliveries of one message that is worth a warning.
pub(super) const MANY_DELIVERIES: u64 = 10;

/// Everything a run holds, whichever connection it is on.
pub struct Receiver {
    pub(super) broker: Broker,
    pub(super) settings: Settings,
    /// The queue; if it is our own, it has another name with each connection.
    pub(super) queue: ShortString,
    /// Where in a stream to continue.
    pub(super) offset: Option<Offset>,
    pub(super) sink: Sink,
    /// Whether a message that was delivered very often has been reported.
    warned: bool,
    pub(super) hand: Hand,
    pub(super) tally: Tally,
    /// The counts for other threads.
    live: Live<Tally>,
    pub(super) stops: Stops,
    pub(super) diagnostics: Diagnostics,
    pub(super) earlier: Earlier,
    /// Rejections must be sent before the consumer is cancelled: that deletes an auto-delete queue.
    pub(super) rejects_first: bool,
    /// How far the output was at the last check: messages and bytes.
    reached: (u64, u64),
    /// Since when none of it has been read.
    vigil: Vigil,
}

/// What a run works with.
pub struct Ends {
    /// Where messages go.
    pub sink: Sink,
    /// What asks the run to stop.
    pub stops: Stops,
    /// The counts for other threads.
    pub live: Live<Tally>,
    /// Whether failed messages are rejected from a queue that is deleted with its last consumer.
    pub rejects_first: bool,
}

impl Receiver {
    /// Receives as the arguments say.
    pub fn new(
        settings: Settings,
        broker: Broker,
        ends: Ends,
        retry: Limit,
        diagnostics: Diagnostics,
    ) -> Self {
        let Ends { sink, stops, live, rejects_first } = ends;
        let Settings { stop, prefetch, prefetch_bytes, .. } = settings;
        let tally = live.now();
        Receiver {
            broker,
            queue: settings.source.name().clone(),
            offset: settings.offset.clone(),
            settings,
            sink,
            warned: false,
            hand: Hand::new(stop, prefetch, prefetch_bytes),
            tally,
            live,
            stops,
            diagnostics,
            earlier: Earlier::new(retry),
            rejects_first,
            reached: (0, 0),
            vigil: Vigil::default(),
        }
    }

    /// Updates the counts for other threads.
    pub(super) fn show(&mut self) {
        self.tally.unacknowledged = self.hand.len();
        self.live.set(self.tally.clone());
        self.keep_vigil(Instant::now());
    }

    /// Reports, once each, that the reader of standard output has long not read, and reads again.
    fn keep_vigil(&mut self, now: Instant) {
        let Sink::Output(output, taken) = &self.sink else { return };
        let waiting = self.hand.open_count();
        let out = self.tally.acknowledged + self.hand.done_count();
        let reached = (out, output.written().saturating_add(taken.bytes()));
        if std::mem::replace(&mut self.reached, reached) != reached
            && self.vigil.progress(now).is_some()
        {
            self.diagnostics.notice("standard output is read again");
        }
        self.vigil.set(now, waiting > 0);
        if self.vigil.is_long(now) {
            let (seconds, waiting) = (LONG.as_secs(), counted(waiting, "message"));
            self.diagnostics.notice(&format!(
                "standard output was not read for {seconds} s; {waiting} waiting"
            ));
        }
    }

    /// When a wait for the reader has to be reported.
    pub(super) fn reports_at(&self) -> Option<Instant> {
        self.vigil.due()
    }

    /// The source of messages, for diagnostics.
    pub(super) fn name(&self) -> &ShortString {
        self.settings.source.name()
    }

    /// Counts a message that has arrived, and warns once about one that has been delivered so often
    /// that a delivery limit is near. Returns the counts in its headers.
    pub(super) fn count_in(&mut self, message: &Arrived) -> Counts {
        self.tally.received += 1;
        self.tally.redelivered += u64::from(message.redelivered);
        self.hand.saw_body(message.content.body_len());
        let counts = message.counts();
        let count = counts.deliveries.map_or(0, |count| count + 1);
        if count >= MANY_DELIVERIES && !self.warned {
            self.warned = true;
            self.diagnostics.notice(&format!(
                "a message of {} was delivered {count} times; the queue drops or dead-letters it after \
                 its delivery limit (20 by default from RabbitMQ 4.0 on)",
                self.name()
            ));
        }
        counts
    }

    /// A refusal, reported with its queue and a hint.
    pub(super) fn refused(&self, error: AmqpError, hint: &str) -> Failure {
        let (queue, vhost) = (self.name(), self.broker.vhost());
        let what = match &error {
            AmqpError::Refused(Refused { what: Refusal::NotFound(Missing::Queue), .. }) => "queue",
            AmqpError::Refused(Refused { what: Refusal::NotFound(Missing::Exchange), .. }) => {
                "exchange"
            }
            _ => {
                return error.failure().context(format!("receive from {queue} in vhost {vhost}"));
            }
        };
        let text = format!("receive from {queue}: no such {what} in vhost {vhost}{hint}");
        Failure::new(error.exit(), text)
    }
}
