//! What ends a run before its input does: a signal, a failure, time.

use crate::sender::{LAST_CONFIRMS, Sender};
use rmq_common::amqp_error::alarm;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use std::time::Instant;

impl Sender {
    /// The first signal: no more is read, what was read is sent and confirmed. The second: at once.
    pub(crate) fn signal(&mut self, signal: i32) {
        if self.deadline.is_some() {
            self.give_up_for_the_signal();
            return;
        }
        self.verdict.signalled(signal);
        self.deadline = Some(Instant::now() + LAST_CONFIRMS);
        self.reader.stop();
        if let Some(spooled) = &self.job.spooled {
            spooled.done.stop_writer();
        }
    }

    /// It failed for good, where it is no record's fault.
    pub(crate) fn fail(&mut self, failure: Failure) {
        self.verdict.fail(failure);
        self.reader.stop();
    }

    /// Nothing is waited for any more.
    pub(crate) fn give_up(&mut self, failure: Failure) {
        self.verdict.give_up(failure);
        // With --rejects the rest of a file is kept as well, so that a run over the rejects
        // finishes the job.
        if self.job.rejects.is_none() || !self.job.finite {
            self.reader.stop();
        }
    }

    /// The same because of a signal.
    pub(crate) fn give_up_for_the_signal(&mut self) {
        self.verdict.give_up_for_the_signal();
        self.reader.stop();
    }

    /// Gives up where the time for the last confirms, or for any, is over.
    pub(crate) fn give_up_in_time(&mut self) {
        let is_over = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if is_over && self.is_handed_over() {
            self.verdict.stop();
        } else if is_over {
            self.give_up_for_the_signal();
        } else if !self.window.is_empty()
            && self.confirm_due().is_some_and(|due| Instant::now() >= due)
        {
            let retry = self.job.retry;
            let seconds = self.patience.elapsed().as_secs();
            let text = match (self.watch.block(), &self.obstacle) {
                (Some(reason), _) => {
                    let alarm = alarm(reason);
                    format!("the broker has blocked the connection ({alarm}) (--retry {retry})")
                }
                (None, Some(obstacle)) => format!("{} (--retry {retry})", obstacle.shown()),
                (None, None) => format!(
                    "no confirm for {seconds} s, the queue may have no leader (--retry {retry})"
                ),
            };
            self.give_up(Failure::new(Exit::TempFail, text));
        }
    }
}
