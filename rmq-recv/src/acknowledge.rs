//! Acknowledging what is out, and giving back what is not.

use crate::connected::{Break, Connected};
use crate::output::Written;
use crate::receiver::{Stop, write_failure};
use rmq_common::amqp_error::Trouble;
use rmq_common::runtime;
use std::time::Duration;

/// How long the last batch may take to be written once it is time to let go.
const LAST_WRITE: Duration = Duration::from_millis(500);

/// Messages that are out: so many, the last of them with this tag.
#[derive(Clone, Copy)]
pub(crate) struct Withheld {
    count: u64,
    last: u64,
}

impl Connected<'_> {
    /// Acknowledges what is out.
    pub(crate) async fn written(&mut self, written: Written) -> Result<(), Break> {
        let tags = std::mem::take(&mut self.writing);
        let outcome = write_failure(written.problem);
        // What a reader that is gone had not read is lost in the pipe, so nothing of the last
        // batch counts as taken.
        let out = match &outcome {
            Err(Stop::ReaderGone) => &[],
            _ => tags.get(..written.complete).unwrap_or_default(),
        };
        if let Some(&last) = out.last() {
            self.out(out.len(), last, written.with_newline);
            self.acknowledge_if_it_may().await?;
        }
        outcome.map_err(Break::Stop)?;
        if self.subscription.has_consumer() { Ok(()) } else { self.go_on().await }
    }

    /// Acknowledges what is out, unless the consumer has to be cancelled before and may still have
    /// messages on their way: a quorum queue's channel drops those that come after its cancel-ok,
    /// and they would count as taken, and come again out of order.
    async fn acknowledge_if_it_may(&mut self) -> Result<(), Break> {
        let Some(Withheld { count, .. }) = self.withheld else { return Ok(()) };
        let credit = &self.receiver.credit;
        if !self.subscription.is_consuming() || !credit.must_cancel_before(count) {
            self.acknowledge()?;
        } else if count >= credit.prefetch() {
            self.cancel_and_acknowledge().await?;
        }
        // Else more come, or none come for a while.
        Ok(())
    }

    pub(crate) async fn cancel_and_acknowledge(&mut self) -> Result<(), Break> {
        self.subscription.cancel().await?;
        Ok(self.acknowledge()?)
    }

    pub(crate) fn acknowledge(&mut self) -> Result<(), Trouble> {
        if let Some(Withheld { count, last }) = self.withheld.take() {
            self.subscription.acknowledge(last)?;
            self.receiver.credit.acknowledged(count);
            self.receiver.tally.acknowledged += count;
        }
        Ok(())
    }

    /// Cancel, wait, give back what was not taken, close. Should the connection be lost meanwhile,
    /// the broker gives it back by itself.
    pub(crate) async fn let_go(mut self, stop: &Stop) {
        if matches!(stop, Stop::ReaderGone) {
            // What it had not read is lost in the pipe.
            self.withheld = None;
        }
        let mut intact = self.subscription.cancel().await.is_ok();
        if matches!(stop, Stop::Signal(_)) && self.receiver.output.is_busy() {
            let written = runtime::timeout(LAST_WRITE, self.receiver.output.written()).await;
            if let Some(written) = written {
                self.written_last(&written);
            }
        }
        intact = intact && self.acknowledge().is_ok();
        if intact {
            intact = self.subscription.put_back().await.is_ok();
        }
        if intact { self.session.close().await } else { self.session.cut() }
    }

    /// The last batch is out; its consumer is cancelled already.
    fn written_last(&mut self, written: &Written) {
        let out = self.writing.get(..written.complete).unwrap_or_default();
        if let (Some(&last), None) = (out.last(), &written.problem) {
            self.out(out.len(), last, written.with_newline);
        }
    }

    /// So many messages more are out, the last of them with this tag.
    fn out(&mut self, count: usize, last: u64, with_newline: u64) {
        let before = self.withheld.map_or(0, |withheld| withheld.count);
        self.withheld = Some(Withheld { count: before + count as u64, last });
        self.receiver.tally.with_newline += with_newline;
    }
}
