//! Taking messages: requesting them, and handing them to the output.

use crate::delivery::message::Arrived;
use crate::downstream::sender::Downstream;
use crate::output::batch::Batch;
use crate::queue::offset::Offset;
use crate::queue::source::Source;
use crate::queue::subscription::Delivered;
use crate::receiver::connected::{Break, Connected};
use crate::receiver::lasting::Receiver;
use crate::receiver::ledger::Entry;
use crate::receiver::takeover::Takeover;
use crate::stops::Stop;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::service_manager;
use std::time::Instant;

/// The most bytes of records in a batch: enough for large writes, little to hold twice.
const BATCH_BYTES: u64 = 1 << 20;

impl Connected<'_> {
    /// Starts to consume, if there is no consumer. The first message is taken alone if one may be
    /// waiting already, or may come back from a client that it crashes; a stream counts no
    /// deliveries, and a tap's messages never had another consumer.
    pub(super) async fn consume(&mut self) -> Result<(), Break> {
        self.quiet.begins();
        let Receiver { settings, hand, earlier, .. } = &*self.receiver;
        let counts = !self.is_stream && matches!(settings.source, Source::Queue(_));
        let mut others = 0;
        let mut guarded = false;
        if counts && hand.can_be_guarded() {
            let reconnected = earlier.was_connected();
            let state = self.query().await?;
            others = state.consumers;
            guarded = reconnected || others > 0 || state.ready > 0;
        }
        let prefetch = self.receiver.hand.begin_consumer(guarded);
        let arguments = self.receiver.offset.as_ref().map(Offset::argument);
        self.subscription.consume(prefetch, arguments.unwrap_or_default()).await?;
        self.takeover = Takeover::new();
        self.receiver.consumes(self.session.host());
        service_manager::ready();
        if guarded && others > 0 {
            self.stand_in_line(others).await?;
        }
        Ok(())
    }

    /// A quorum queue with a single active consumer shows only that one. If it is not ours, the
    /// consumer for the full prefetch is registered now, so that no other client's comes between
    /// the two.
    async fn stand_in_line(&mut self, others: u32) -> Result<(), Break> {
        if let Some(prefetch) = self.receiver.hand.prefetch_beside_the_first()
            && self.query().await?.consumers == others
        {
            self.subscription.prepare(prefetch, 0).await?;
            self.takeover.stand_in_line();
        }
        Ok(())
    }

    /// Takes a message and all others that have arrived, and has them written.
    pub(super) fn take(&mut self, message: Arrived) -> Result<(), Break> {
        let mut batch = Batch::default();
        let records = self.receiver.sink.downstream().map(Downstream::written);
        if let Err(ended) = self.fill(message, &mut batch) {
            // Nothing of the batch is written, so the filter never counts it.
            if let (Some(downstream), Some(records)) =
                (self.receiver.sink.downstream_mut(), records)
            {
                downstream.take_back_to(records);
            }
            return Err(ended);
        }
        self.pace.taken(Instant::now(), self.receiver.hand.prefetch());
        if let Some(output) = self.receiver.sink.output_mut() {
            output.write(batch);
        }
        if let Some(downstream) = self.receiver.sink.downstream_mut() {
            downstream.moved();
        }
        Ok(())
    }

    fn fill(&mut self, message: Arrived, batch: &mut Batch) -> Result<(), Break> {
        let mut next = Some(Delivered::Message(message));
        while let Some(delivered) = next {
            match delivered {
                // A stream may deliver more than its prefetch; the excess must not be written.
                Delivered::Message(_) if !self.receiver.hand.wants_more() => {}
                Delivered::Message(message) => self.add(&message, batch)?,
                Delivered::End { by_broker } => {
                    self.cancelled_by_broker = by_broker;
                    break;
                }
                Delivered::Early => break,
                Delivered::Error(error) => return Err(error.into()),
            }
            next = if batch.len() < BATCH_BYTES { self.subscription.next_now() } else { None };
        }
        Ok(())
    }

    /// Notes that something has arrived.
    pub(super) fn message_came(&mut self) {
        self.quiet.over();
        let news = self.leader.is_there(Instant::now());
        self.report_leader(news);
    }

    fn add(&mut self, message: &Arrived, batch: &mut Batch) -> Result<(), Break> {
        let offset = self.receiver.count_in(message).offset;
        let id = self.receiver.sink.name(self.receiver.hand.delivery(message.tag));
        let Receiver { settings, sink, hand, .. } = &mut *self.receiver;
        let tag = message.tag;
        self.is_stream |= offset.is_some();
        let encoded = settings.framing.write_arrived(message, id, batch).map_err(|why| {
            let text = format!("write a message of {}: {why}", settings.source.name());
            Break::Stop(Stop::Failed(Failure::new(Exit::DataErr, text)))
        })?;
        let records = sink.downstream_mut().map_or(0, |it| it.count(encoded.records));
        hand.add(Entry {
            tag,
            end: sink.handed() + batch.len(),
            records,
            newline: encoded.newline,
            offset,
            bytes: message.content.body_len() as u64,
            ..Entry::default()
        });
        Ok(())
    }
}
