//! What ends a run before its input does (a signal, a time limit, another rmq-send that waits for
//! the spool), and the end of a run with a spool.

use crate::input::reader::Input;
use crate::results::tally::Tally;
use crate::results::verdict::Verdict;
use crate::sender::run_loop::Sender;
use crate::spool::intake::Over;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::retry::Patience;
use std::time::{Duration, Instant};

impl Sender {
    /// The first signal: no more is read; what was read is sent and confirmed. The second ends at
    /// once.
    pub(super) fn signal(&mut self, signal: i32) {
        if !self.stop.begin() {
            self.account.give_up_for_the_signal();
            return;
        }
        self.account.signalled(signal);
        self.intake.stop();
        if let Some(spooled) = &self.spooled {
            spooled.stop_writer();
        }
    }

    /// The same for a signal that came during other work.
    pub(super) fn take_signal(&mut self) {
        if let Some(signal) = self.stop.take() {
            self.signal(signal);
        }
    }

    /// Gives up if the time limit for the last confirms, or for any confirm, has passed.
    pub(super) fn give_up_in_time(&mut self) {
        if self.stop.is_over() {
            match self.is_handed_over() {
                true => self.account.verdict().stop(),
                false => self.account.give_up_for_the_signal(),
            }
        } else if !self.account.window().is_empty()
            && self.confirm_due().is_some_and(|due| Instant::now() >= due)
        {
            let seconds = self.patience.elapsed().as_secs();
            let text = self.connection.why_unconfirmed(seconds, self.retry);
            self.account.give_up(Failure::new(Exit::TempFail, text));
        }
    }

    /// Whether unconfirmed records are kept anyway.
    pub(super) fn keeps(&self) -> bool {
        self.spooled.is_some() || self.followed.is_some()
    }

    pub(super) fn is_handed_over(&self) -> bool {
        self.spooled.as_ref().is_some_and(|spooled| spooled.is_handed_over())
    }

    /// All of the input is in the spool: from now on `--retry` applies.
    pub(super) fn spooled(&mut self, over: Over) {
        if let Some(spooled) = &mut self.spooled {
            spooled.end_input();
        }
        self.account.spooled(over.read, over.rejections);
        let verdict = self.account.verdict();
        verdict.partial(over.partial);
        if let Some(failure) = over.failure {
            verdict.fail_input(failure);
        }
        verdict.unkept(over.unkept);
        if let Some(broken) = over.broken {
            self.account.give_up(broken);
        }
        self.patience = Patience::new(self.retry);
    }

    /// The input is over, and another rmq-send waits for the spool, with an input that it does not
    /// read until then. So this run stops, and leaves what it has not sent.
    pub(super) fn hand_over(&mut self) {
        let Some(spooled) = &mut self.spooled else { return };
        spooled.hand_over();
        self.intake.stop();
        drop(self.intake.take());
        self.stop.begin();
        self.account.verdict().handed_over();
    }

    /// Ends a run with a spool: what is not done stays in it. Returns the number of these records.
    async fn leave_spool(&mut self) -> Option<u64> {
        self.intake.stop();
        let spooled = self.spooled.as_ref()?;
        spooled.stop();
        while !self.intake.is_over() {
            // Everything it would report is in the spool.
            if let Input::End(_) = self.intake.next().await {
                self.intake.end();
            }
        }
        if !spooled.is_over()
            && let Some(over) = spooled.input_over().await
        {
            self.spooled(over);
        }
        let spooled = self.spooled.take()?;
        let verdict = self.account.verdict();
        if let Some(whereabouts) = self.places.whereabouts() {
            verdict.rejections().are(whereabouts);
        }
        let directory = spooled.shown();
        match spooled.close() {
            Ok(left) => {
                verdict.spool_keeps(&directory, left.kept, left.in_memory);
                Some(left.kept + left.in_memory)
            }
            Err(failure) => {
                verdict.fail(failure);
                None
            }
        }
    }

    /// Ends a run that follows files: the next run reads again what is not done.
    async fn leave_files(mut self) -> (Verdict, Tally) {
        self.intake.stop();
        let mut unsent = self.intake.take().len();
        while !self.intake.is_over() {
            match self.intake.next().await {
                Input::Items(items) => unsent += items.len(),
                end @ Input::End(_) => self.input(end),
            }
        }
        self.account.count_unknown();
        let unconfirmed = unsent + self.account.window().unsettled().count();
        // A record that is incomplete in the rejects is taken back.
        self.account.end();
        self.perform();
        self.end().await;
        let whereabouts = self.places.whereabouts();
        let verdict = self.account.verdict();
        if let Some(whereabouts) = whereabouts {
            verdict.rejections().are(whereabouts);
        }
        let mut behind = None;
        if let Some(followed) = self.followed.take() {
            let unread = followed.behind();
            verdict.files_keep(followed.name().map(str::to_owned), unread, unconfirmed as u64);
            if let Err(failure) = followed.close() {
                verdict.fail(failure);
            }
            behind = Some(unread);
        }
        let (verdict, mut tally) = self.account.into_results(None);
        tally.behind = behind;
        (verdict, tally)
    }

    /// Closes, keeps what was not confirmed, and takes stock.
    pub(super) async fn finish(mut self) -> (Verdict, Tally) {
        self.leave();
        if self.spooled.is_some() {
            self.account.count_unknown();
            let spooled = self.leave_spool().await;
            self.end().await;
            let (verdict, mut tally) = self.account.into_results(None);
            tally.spooled = spooled;
            return (verdict, tally);
        }
        if self.followed.is_some() {
            return Box::pin(self.leave_files()).await;
        }
        self.account.close();
        // The reader was asked to stop, or ends by itself, so this loop ends after what was read
        // already.
        loop {
            self.perform();
            for item in self.intake.take() {
                self.account.never_entered(item);
                self.perform();
            }
            self.account.keep_left_over();
            self.perform();
            if self.intake.is_over() {
                break;
            }
            let input = self.intake.next().await;
            self.input(input);
        }
        self.account.end();
        self.perform();
        self.end().await;
        let whereabouts = self.places.whereabouts();
        self.account.into_results(whereabouts)
    }

    /// Ends the connection, and waits until all reports of confirmed records are written.
    async fn end(&mut self) {
        self.connection.close().await;
        // A reader may have stopped reading: a signal ends the wait for it.
        match self.stop.unless(Duration::ZERO, self.places.finish()).await {
            Some(Ok(())) => {}
            Some(Err(failure)) => self.account.fail(failure),
            None => {
                if let Some(signal) = self.stop.take() {
                    self.account.signalled(signal);
                }
                let text = "stopped by a signal before all confirms were reported";
                self.account.fail(Failure::new(Exit::TempFail, text));
            }
        }
    }
}
