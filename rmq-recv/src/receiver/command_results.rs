//! `-- COMMAND`: what happens to a message when its command has ended.

use crate::command::commands::{Commands, Verdict};
use crate::command::finish::finish;
use crate::delivery::ids::Delivery;
use crate::delivery::message::Arrived;
use crate::receiver::connected::{Break, Connected};
use crate::receiver::hand::Hand;
use crate::receiver::lasting::Receiver;
use crate::receiver::ledger::Entry;
use crate::sink::Sink;
use crate::stops::Stop;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use std::time::Instant;

impl Connected<'_> {
    /// Starts a run for a message.
    pub(super) fn begin(&mut self, message: &Arrived) -> Result<(), Break> {
        let delivery = self.receiver.hand.delivery(message.tag);
        let offset = self.receiver.count_in(message).offset;
        let bytes = message.content.body_len() as u64;
        self.is_stream |= offset.is_some();
        let message = message.message();
        let message =
            message.map_err(|why| Break::Stop(Stop::Failed(Failure::new(Exit::Software, why))))?;
        let Receiver { sink, queue, .. } = &mut *self.receiver;
        if let Sink::Commands(commands) = sink {
            let started = commands.start(queue, delivery, message);
            started.map_err(|failure| Break::Stop(Stop::Failed(failure)))?;
        }
        self.receiver.hand.add(Entry { tag: delivery.tag, offset, bytes, ..Entry::default() });
        Ok(())
    }

    /// Handles the end of a run.
    pub(super) fn ran(&mut self, number: u64) -> Result<(), Break> {
        let Receiver { sink: Sink::Commands(commands), hand, diagnostics, .. } =
            &mut *self.receiver
        else {
            return Ok(());
        };
        let ended = commands.verdict(number);
        let stop =
            ended.and_then(|(delivery, verdict)| apply(hand, *diagnostics, delivery, verdict));
        stop.map_or(Ok(()), |stop| Err(Break::Stop(stop)))
    }

    /// A pause is over: what was kept goes back, and is delivered again at once if no other client
    /// takes it. The consumer stays meanwhile: an auto-delete queue would be deleted with it.
    pub(super) fn put_back_held(&mut self) -> Result<(), Break> {
        for postponed in self.receiver.hand.take_postponed(Instant::now()) {
            self.subscription.put_back_one(postponed);
        }
        self.subscription.send()?;
        self.quiet.begins();
        Ok(())
    }

    /// Commands may be started again.
    pub(super) fn go_on(&mut self) {
        if let Some(commands) = self.receiver.sink.commands_mut() {
            commands.go_on();
        }
        self.quiet.begins();
    }

    /// Messages that wait for the end of their pauses are unacknowledged, and must not keep others
    /// from being delivered: another consumer, which has its own prefetch, takes over.
    pub(super) async fn make_room(&mut self) -> Result<(), Break> {
        let Receiver { hand, sink, settings, .. } = &*self.receiver;
        let may_start = sink.commands().is_some_and(Commands::has_room);
        if may_start
            && self.subscription.is_consuming()
            && !self.is_stream
            && !self.takeover.is_kept()
            && let Some(prefetch) = hand.prefetch_beside_postponed(settings.postponed)
        {
            self.try_change(prefetch).await?;
        }
        Ok(())
    }

    /// Waits for the running commands; what they finish is acknowledged.
    pub(super) async fn finish_commands(&mut self, mut stop: Stop) -> Stop {
        if self.receiver.sink.commands().is_none() {
            return stop;
        }
        // A message whose command fails has to be rejected while the queue exists; no more than the
        // prefetch arrives meanwhile.
        if !self.receiver.rejects_first
            && let Err(Break::Stop(signal)) = self.cancel_in_time().await
        {
            stop = signal;
        }
        let Receiver { sink: Sink::Commands(commands), hand, diagnostics, stops, .. } =
            &mut *self.receiver
        else {
            return stop;
        };
        let ended = |delivery, verdict| apply(hand, *diagnostics, delivery, verdict);
        finish(commands, stop, stops, ended).await
    }
}

/// What becomes of a message whose command has ended, and why the run stops, if it does. One of an
/// earlier connection comes again.
fn apply(
    hand: &mut Hand,
    diagnostics: Diagnostics,
    delivery: Delivery,
    verdict: Verdict,
) -> Option<Stop> {
    if delivery.channel != hand.channel() {
        return None;
    }
    match verdict {
        Verdict::Done => {
            hand.done(delivery);
        }
        Verdict::PutBack { until, counts, why } => {
            if let Some(why) = why {
                diagnostics.notice(&why);
            }
            hand.postpone(delivery, until, counts);
        }
        Verdict::DeadLetter(why) => {
            diagnostics.notice(&why);
            hand.reject(delivery);
        }
        // It goes back with the rest when we let go.
        Verdict::Unfinished => {}
        Verdict::Stop(why) => return Some(Stop::Failed(Failure::new(Exit::TempFail, why))),
    }
    None
}
