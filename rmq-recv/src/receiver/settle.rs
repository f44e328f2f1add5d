//! Acknowledging what is written, and giving back what is not.

use crate::downstream::lines::Report;
use crate::output::pipe;
use crate::output::taken::When;
use crate::queue::offset::Offset;
use crate::receiver::connected::{Break, Connected};
use crate::receiver::lasting::Receiver;
use crate::sink::Sink;
use crate::stops::Stop;
use rmq_common::amqp_error::AmqpError;
use rmq_common::runtime::{self, first, sleep_until};
use std::io;
use std::time::{Duration, Instant};

/// How long the last batch may take to be written, and read, when the run lets go.
const LAST_WRITE: Duration = Duration::from_millis(500);

/// The least time between two acknowledgements: one more message is not worth another.
const BETWEEN: Duration = Duration::from_millis(1);

impl Connected<'_> {
    /// A batch is written, or could not be.
    pub(super) fn written(&mut self, result: io::Result<()>) -> Result<(), Break> {
        let outcome = Stop::of_write(result);
        // What a reader that is gone had not read is lost in the pipe, so nothing of the last batch
        // counts as taken.
        if !matches!(outcome, Err(Stop::ReaderGone)) {
            if let Sink::Output(_, taken) = &mut self.receiver.sink {
                taken.soon();
            }
            self.check_output();
        }
        outcome.map_err(Break::Stop)
    }

    /// Checks how far the output is taken.
    pub(super) fn check_output(&mut self) {
        if let Some(bytes) = self.receiver.sink.check_taken() {
            self.receiver.hand.done_to_byte(bytes);
        }
    }

    /// Applies a report of the sender on `--ack-from`.
    pub(super) fn apply(&mut self, said: Report) {
        let Receiver { sink, hand, .. } = &mut *self.receiver;
        if let Some(downstream) = sink.downstream_mut() {
            downstream.apply(said, hand);
            downstream.apply_rest(hand);
        }
    }

    /// Applies all that the sender has reported by now.
    pub(super) fn apply_rest(&mut self) {
        let Receiver { sink, hand, .. } = &mut *self.receiver;
        if let Some(downstream) = sink.downstream_mut() {
            downstream.apply_rest(hand);
        }
    }

    /// Everything waits for the sender, which has been silent for long.
    pub(super) fn report_silence(&mut self) -> Result<(), Break> {
        let ended = self.receiver.sink.is_closed();
        let waiting = self.receiver.hand.open_count();
        if self.filter_reads() {
            return Ok(());
        }
        if let Some(downstream) = self.receiver.sink.downstream_mut() {
            if downstream.is_abandoned() {
                return Err(Break::Stop(Stop::SenderGone));
            } else {
                downstream.report_silence(waiting, ended);
            }
        }
        Ok(())
    }

    /// Whether the filter has not read all that was written, so that the sender is not silent yet.
    pub(super) fn filter_reads(&mut self) -> bool {
        let Some(downstream) = self.receiver.sink.downstream_mut() else { return false };
        let reads = pipe::unread() > 0;
        if reads {
            downstream.moved();
        }
        reads
    }

    /// Acknowledges what is done, and continues if there is no consumer.
    pub(super) async fn settle(&mut self) -> Result<(), Break> {
        let Receiver { hand, sink, .. } = &*self.receiver;
        if hand.is_met_by_done() {
            // Letting go acknowledges it, once nothing more can come.
            return Err(Break::Stop(Stop::Met));
        }
        let written = !hand.is_empty() && !sink.is_busy();
        if sink.downstream().is_some() && written && hand.is_met_by_all() {
            // All that was asked for is written; a filter may hold it until its input ends.
            return Err(Break::Stop(Stop::Met));
        }
        self.acknowledge_if_it_may().await?;
        self.make_room().await?;
        if self.subscription.has_consumer() {
            return Ok(());
        }
        if std::mem::take(&mut self.cancelled_by_broker) {
            self.after_cancel_by_broker().await?;
        }
        // No new consumer before everything of the old one is acknowledged: what that one was given
        // would come on top of the new one's prefetch.
        if self.receiver.hand.is_empty() && !self.subscription.has_consumer() {
            self.consume().await?;
        }
        Ok(())
    }

    /// Acknowledges what is done, unless another consumer has to take over first.
    async fn acknowledge_if_it_may(&mut self) -> Result<(), Break> {
        if self.receiver.hand.done_count() == 0 {
            return Ok(());
        }
        if !self.subscription.is_consuming() {
            self.acknowledge(u64::MAX)?;
        } else if let Some(prefetch) = self.next_prefetch() {
            // Otherwise more come, or none for a while.
            if self.receiver.hand.is_full() {
                self.try_change(prefetch).await?;
                self.acknowledge(self.may_acknowledge())?;
            }
        } else {
            let too_soon = self.next_acknowledgement().is_some_and(|next| Instant::now() < next);
            if !too_soon || self.receiver.hand.is_half_done() {
                self.acknowledge(self.may_acknowledge())?;
            }
        }
        Ok(())
    }

    /// When the next acknowledgement may be sent: a broker with more of them than it can pass on
    /// holds the rest back, and forgets them if the channel closes meanwhile.
    pub(super) fn next_acknowledgement(&self) -> Option<Instant> {
        self.acknowledged.map(|last| last + BETWEEN)
    }

    /// Acknowledges what is done, at most this many.
    pub(super) fn acknowledge(&mut self, at_most: u64) -> Result<(), AmqpError> {
        let done = self.receiver.hand.settle(at_most);
        if done.count == 0 {
            return Ok(());
        }
        self.acknowledged = Some(Instant::now());
        for acknowledgement in &done.acknowledgements {
            self.subscription.acknowledge(acknowledgement);
        }
        self.subscription.send()?;
        self.quiet.has_room();
        let receiver = &mut *self.receiver;
        receiver.tally.acknowledged += done.count - done.rejected;
        receiver.tally.dead_lettered += done.rejected;
        receiver.tally.with_newline += done.newlines;
        receiver.tally.bytes += done.bytes;
        // A new consumer on a stream begins where it is asked to.
        if let Some(next) = done.offset {
            receiver.offset = Some(Offset::Number(next));
        }
        Ok(())
    }

    /// Cancels, waits, gives back what was not taken, and closes. If the connection is lost
    /// meanwhile, the broker gives it back by itself.
    pub(super) async fn let_go(mut self, stop: &Stop) {
        if matches!(stop, Stop::ReaderGone) {
            self.conclude_output().await;
        }
        // Before the cancel if possible: the cancel waits in the queue after the acknowledgements,
        // while a channel that closes may drop acknowledgements that it has not passed on.
        let may = if self.goes_with_us().await { u64::MAX } else { self.may_acknowledge() };
        let mut intact = !self.subscription.is_consuming() || self.acknowledge(may).is_ok();
        intact = intact && self.subscription.cancel().await.is_ok();
        let may_be_read = matches!(stop, Stop::Signal(_) | Stop::TimeUp);
        if may_be_read && matches!(self.receiver.sink, Sink::Output(..)) {
            let _ = runtime::timeout(LAST_WRITE, self.last_checks()).await;
        }
        intact = intact && self.acknowledge(u64::MAX).is_ok();
        // A stream keeps everything, and RabbitMQ closes the connection if messages are given back.
        if intact && !self.is_stream {
            // First what counts as a delivery; the next step gives back the rest.
            for postponed in self.receiver.hand.take_all_postponed() {
                self.subscription.put_back_one(postponed);
            }
            intact = self.subscription.send().is_ok();
            let held = usize::try_from(self.receiver.hand.len()).unwrap_or(usize::MAX);
            let held = u32::try_from(held.saturating_add(self.subscription.waiting()));
            intact = intact && self.subscription.put_back().await.is_ok();
            if intact && held != Ok(0) {
                self.subscription.wait_ready(held.unwrap_or(u32::MAX)).await;
            }
        }
        if intact { self.session.close().await } else { self.session.cut() }
    }

    /// Handles the end of the reader.
    async fn conclude_output(&mut self) {
        let Receiver { sink: Sink::Output(output, taken), hand, .. } = &mut *self.receiver else {
            return;
        };
        match taken.when() {
            // What it had not read is lost in the pipe, and nothing shows how much that is.
            When::Written => hand.forget(),
            // A reader that has read all that was asked for has reason to go.
            When::Read if hand.is_met_by_all() => {
                if output.is_busy() {
                    // A quick reader may be gone before the writing thread has reported it.
                    let _ = runtime::timeout(LAST_WRITE, output.result()).await;
                }
                let written = output.written();
                if written == output.handed() {
                    taken.conclude(written);
                    hand.done_to_byte(taken.bytes());
                }
            }
            When::Read => {}
        }
    }

    /// Whether the queue will be deleted with our consumer, so that what is rejected only then
    /// would not be dead-lettered. What it delivers to us instead is deleted with it. If other
    /// clients keep the queue, no more may be taken than `-n` says.
    async fn goes_with_us(&self) -> bool {
        self.receiver.rejects_first
            && self.receiver.hand.done_count() > 0
            && self
                .query()
                .await
                .is_ok_and(|state| state.consumers <= self.subscription.consumers())
    }

    /// Waits until everything handed over is taken; the consumer is cancelled already.
    async fn last_checks(&mut self) {
        while self.receiver.hand.open_count() > 0 {
            let Sink::Output(output, taken) = &mut self.receiver.sink else { return };
            let next_check = taken.next_check();
            let written = async { output.result().await.is_ok() };
            let check = async {
                sleep_until(Some(next_check)).await;
                true
            };
            if !first(written, check).await {
                break;
            }
            self.check_output();
        }
    }
}
