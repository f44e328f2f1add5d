//! `-- COMMAND`: what becomes of a message when its command has ended.

use crate::command::commands::Verdict;
use crate::command::finish::finish;
use crate::delivery::message::Arrived;
use crate::receiver::connected::{Break, Connected};
use crate::receiver::lasting::Receiver;
use crate::receiver::ledger::Entry;
use crate::sink::Sink;
use crate::stops::Stop;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use std::time::Instant;

impl Connected<'_> {
    /// Begins a run for a message.
    pub(crate) fn begin(&mut self, message: &Arrived) -> Result<(), Break> {
        let delivery = self.receiver.hand.delivery(message.tag);
        let offset = self.receiver.count_in(message).offset;
        self.is_stream |= offset.is_some();
        let message = message.message();
        let message =
            message.map_err(|why| Break::Stop(Stop::Failed(Failure::new(Exit::Software, why))))?;
        let Receiver { sink, queue, .. } = &mut *self.receiver;
        if let Sink::Commands(commands) = sink {
            let started = commands.start(queue, delivery, message);
            started.map_err(|failure| Break::Stop(Stop::Failed(failure)))?;
        }
        self.receiver.hand.add(Entry { tag: delivery.tag, offset, ..Entry::default() });
        Ok(())
    }

    /// A run has ended.
    pub(crate) fn ran(&mut self, number: u64) -> Result<(), Break> {
        let Receiver { sink: Sink::Commands(commands), hand, diagnostics, .. } =
            &mut *self.receiver
        else {
            return Ok(());
        };
        let Some((delivery, verdict)) = commands.verdict(number) else {
            return Ok(());
        };
        if delivery.channel != hand.channel() {
            // Its connection is lost, and the message comes again.
            return Ok(());
        }
        match verdict {
            Verdict::Done => {
                hand.done(delivery);
            }
            Verdict::PutBack(why) => {
                if let Some(why) = why {
                    let text = format!("run {}: {why}; the message is requeued", commands.name());
                    diagnostics.notice(&text);
                }
                hand.postpone(delivery);
            }
            Verdict::DeadLetter(why) => {
                diagnostics.notice(&dead_lettered(commands.name(), &why));
                hand.reject(delivery);
            }
            // It goes back with the rest when we let go.
            Verdict::Unfinished => {}
            Verdict::Stop(why) => {
                return Err(Break::Stop(Stop::Failed(failed(commands.name(), &why))));
            }
        }
        Ok(())
    }

    /// The pause is over: what was kept goes back, and comes again at once where no other client takes
    /// it. The consumer stays meanwhile: an auto-delete queue would go with it.
    pub(crate) fn put_back_held(&mut self) -> Result<(), Break> {
        for tag in self.receiver.hand.take_postponed() {
            self.subscription.put_back_one(tag);
        }
        self.subscription.send()?;
        if let Some(commands) = self.receiver.sink.commands_mut() {
            commands.go_on();
        }
        // It was we who let nothing come.
        self.quiet_since = Instant::now();
        self.nothing_since = self.quiet_since;
        Ok(())
    }

    /// Waits for the commands that run; what they finish is acknowledged.
    pub(crate) async fn finish_commands(&mut self, mut stop: Stop) -> Stop {
        if self.receiver.sink.commands().is_none() {
            return stop;
        }
        // What a command fails over has to be rejected while the queue is there; no more than the
        // prefetch comes meanwhile.
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
        let name = commands.name().to_owned();
        let stop = finish(commands, stop, stops, |delivery, verdict| match verdict {
            _ if delivery.channel != hand.channel() => None,
            Verdict::Done => {
                hand.done(delivery);
                None
            }
            Verdict::DeadLetter(why) => {
                diagnostics.notice(&dead_lettered(&name, &why));
                hand.reject(delivery);
                None
            }
            Verdict::Stop(why) => Some(Stop::Failed(failed(&name, &why))),
            Verdict::PutBack(_) | Verdict::Unfinished => None,
        });
        stop.await
    }
}

fn dead_lettered(name: &str, why: &str) -> String {
    format!("run {name}: {why}; the message is dead-lettered")
}

fn failed(name: &str, why: &str) -> Failure {
    Failure::new(Exit::TempFail, format!("run {name}: {why}; the message is back in the queue"))
}
