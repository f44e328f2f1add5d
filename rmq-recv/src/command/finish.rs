//! Waiting for the running commands when a run stops.

use crate::command::commands::{Commands, Verdict};
use crate::delivery::ids::Delivery;
use crate::stops::{Stop, Stops};
use rmq_common::runtime::{first, sleep_until};
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// How long a command may take to end after a signal.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits for all running commands, and passes their verdicts to `ended`, which may return another
/// reason to stop. A signal is passed on to them; those that ignore it are killed.
pub async fn finish(
    commands: &mut Commands,
    mut stop: Stop,
    stops: &Stops,
    mut ended: impl FnMut(Delivery, Verdict) -> Option<Stop>,
) -> Stop {
    enum Step {
        Ended(u64),
        Stop(Stop),
        TooLate,
    }
    let pass_on = |commands: &mut Commands, stop: &Stop| match stop {
        Stop::Signal(number) => {
            commands.signal(Signal::from_named_raw(*number).unwrap_or(Signal::TERM));
            Instant::now().checked_add(PATIENCE)
        }
        _ => None,
    };
    let mut limit = pass_on(commands, &stop);
    while !commands.is_idle() {
        let run = async { Step::Ended(commands.next().await) };
        let signal = async { Step::Stop(stops.signal().await) };
        let late = async {
            sleep_until(limit).await;
            Step::TooLate
        };
        match first(run, first(signal, late)).await {
            Step::Ended(number) => {
                if let Some((delivery, verdict)) = commands.verdict(number) {
                    let failed = ended(delivery, verdict);
                    if !matches!(stop, Stop::Signal(_) | Stop::Failed(_)) {
                        stop = failed.unwrap_or(stop);
                    }
                }
            }
            // A second signal ends the wait.
            Step::Stop(_) if matches!(stop, Stop::Signal(_)) => commands.signal(Signal::KILL),
            Step::Stop(signal) => {
                limit = pass_on(commands, &signal);
                stop = signal;
            }
            Step::TooLate => {
                commands.signal(Signal::KILL);
                limit = None;
            }
        }
    }
    stop
}
