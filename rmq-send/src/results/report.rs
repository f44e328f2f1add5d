//! Where a run's counts and its outcome go.

use crate::arguments::{Arguments, PROGRAM};
use crate::results::tally::Tally;
use crate::results::verdict::Verdict;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::exit::Ending;
use rmq_common::failure::Failure;
use rmq_common::progress::Progress;
use rmq_common::standing::live::Live;
use rmq_common::standing::stats_file::{Stats, StatsFile};

/// Where the counts go, during the run and at its end.
pub struct Report {
    stats: Option<Stats>,
    progress: Progress,
    diagnostics: Diagnostics,
}

impl Report {
    /// Begins to show the counts where requested.
    ///
    /// # Errors
    /// The operating system refuses a thread (74).
    pub fn start(
        arguments: &Arguments,
        stats: Option<StatsFile>,
        live: Live<Tally>,
        diagnostics: Diagnostics,
    ) -> Result<Self, Failure> {
        let every = arguments.stats_every;
        let stats = stats.map(|stats| stats.start(every, &live, diagnostics)).transpose()?;
        let wanted = arguments.progress && !arguments.quiet;
        let pulse = move || live.now().pulse();
        let progress = Progress::start(wanted, arguments.tee, PROGRAM, "confirmed", pulse);
        Ok(Report { stats, progress, diagnostics })
    }

    /// Reports the tally where requested, and the outcome.
    pub fn outcome(self, mut verdict: Verdict, tally: &Tally) -> Result<Ending, Failure> {
        let Report { stats, progress, diagnostics } = self;
        drop(progress);
        if let Some(stats) = stats
            && let Err(failure) = stats.finish(tally)
        {
            verdict.fail(failure);
        }
        let outcome = verdict.outcome();
        if outcome.is_err() {
            diagnostics.notice(&tally.to_string());
        } else {
            diagnostics.detail(&tally.to_string());
        }
        outcome
    }
}
