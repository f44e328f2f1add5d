//! What has to be done at a certain time, if nothing happens before.

use crate::downstream::sender::Downstream;
use crate::output::taken::When;
use crate::receiver::connected::{Break, Connected};
use crate::receiver::lasting::Receiver;
use crate::sink::Sink;
use crate::stops::Stop;
use std::time::Instant;

/// What is due, if nothing happens before.
#[derive(Clone, Copy)]
pub(super) enum Due {
    /// To check how far the output is taken.
    CheckOutput,
    /// To acknowledge what is done.
    Acknowledge,
    /// To report that the sender is silent.
    Silence,
    /// To have another consumer take over: nothing is on its way.
    Change,
    /// To get more messages beside the first, which a filter keeps.
    Widen,
    /// To acknowledge what was kept back.
    Kept,
    /// To check whether the queue is drained: nothing is on its way.
    Quiet,
    /// To check whether the queue has forgotten us.
    Forgotten,
    /// To put back what a command could not do yet.
    PutBack,
    /// To start commands again.
    GoOn,
    /// To report a wait, which is what the loop does first.
    Long,
    /// To stop.
    Idle,
}

impl Connected<'_> {
    /// Does what is due.
    pub(super) async fn due(&mut self, due: Due) -> Result<(), Break> {
        match due {
            Due::CheckOutput => self.check_output(),
            // The loop does that next anyway.
            Due::Acknowledge => {}
            Due::Silence => self.report_silence()?,
            Due::Change => {
                if let Some(prefetch) = self.next_prefetch() {
                    self.try_change(prefetch).await?;
                    self.acknowledge(self.may_acknowledge())?;
                }
            }
            Due::Widen => self.widen().await?,
            Due::Kept => self.end_keeping().await?,
            Due::Quiet => self.check_drained().await?,
            Due::Forgotten => self.check_forgotten().await?,
            Due::PutBack => self.put_back_held()?,
            Due::GoOn => self.go_on(),
            Due::Long => {}
            Due::Idle => return Err(Break::Stop(Stop::Idle)),
        }
        Ok(())
    }

    /// What is due next, and when.
    pub(super) fn next_due(&self) -> Option<(Instant, Due)> {
        let Receiver { sink, hand, settings, .. } = &*self.receiver;
        let (busy, downstream, commands) = (sink.is_busy(), sink.downstream(), sink.commands());
        let waits = sink.has_room() && self.subscription.is_consuming();
        let has_room = hand.has_room();
        let all_settled = hand.is_empty();
        let check_at = match sink {
            Sink::Output(_, taken) => {
                let is_due = match taken.when() {
                    When::Written => busy,
                    When::Read => !all_settled,
                };
                is_due.then(|| taken.next_check())
            }
            Sink::Downstream(..) | Sink::Commands(_) => None,
        };
        let done = hand.done_count();
        // If there is no room either, another consumer has to take over first.
        let waits_for_change = self.subscription.is_consuming() && self.next_prefetch().is_some();
        let change = done > 0 && waits && waits_for_change;
        // What is written and only waits to be acknowledged does not keep a message from being the
        // last.
        let all_out = all_settled || (hand.open_count() == 0 && self.may_acknowledge() == 0);
        // What a filter has kept or dropped for a while may never be done before its input ends.
        let kept_at = downstream.filter(|_| !all_out).map(Downstream::still_at);
        let drains = waits && settings.stop.drain && (all_out || downstream.is_some());
        let quiet_at = self.quiet.check_at();
        let drained_at = kept_at.map_or(quiet_at, |kept| kept.max(quiet_at));
        let may = done > 0 && !waits_for_change && self.may_acknowledge() > 0;
        let acknowledge = self.next_acknowledgement().filter(|_| may);
        let kept = if done > 0 { self.kept_until() } else { None };
        // A filter may hold what it has until its input ends.
        let idle = settings.stop.idle.filter(|_| waits && (all_out || downstream.is_some()));
        let is_stream = self.receiver.offset.is_some();
        let takes_more = waits && has_room;
        // The message of a running command would be run a second time beside it.
        let may_change = !is_stream && (commands.is_none() || all_settled);
        let is_stuck = !(busy || all_settled || takes_more);
        let widen_at = downstream.filter(|it| it.fifo.is_announced() && is_stuck && waits);
        let widen_at = widen_at.filter(|_| self.prefetch_beside_the_first().is_some());
        let silent_at = downstream.and_then(|downstream| downstream.silent_at());
        let all = [
            (check_at, Due::CheckOutput),
            (acknowledge, Due::Acknowledge),
            (silent_at.filter(|_| is_stuck), Due::Silence),
            (change.then(|| self.quiet.is_at()), Due::Change),
            (widen_at.map(Downstream::still_at), Due::Widen),
            (kept, Due::Kept),
            (drains.then_some(drained_at), Due::Quiet),
            // A stream always has messages, and knows no leaderless moment of that kind.
            (self.quiet.idle.until().filter(|_| takes_more && may_change), Due::Forgotten),
            (self.receiver.reports_at(), Due::Long),
            (hand.postponed_until(), Due::PutBack),
            (commands.and_then(|commands| commands.until()), Due::GoOn),
            (idle.and_then(|limit| self.quiet.over_at(limit)), Due::Idle),
        ];
        let all = all.into_iter().filter_map(|(time, due)| Some((time?, due)));
        all.min_by_key(|(time, _)| *time)
    }
}
