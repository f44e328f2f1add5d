//! `delete-vhost`.

use super::dry_run;
use crate::administration::Deleted;
use crate::names;
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::diagnostics::Diagnostics;
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;
use rmq_common::{signals, thread};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Delete a virtual host, with all queues and messages on it, without asking. A missing one is not an
/// error.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "delete-vhost", help_triggers("-h", "--help"))]
pub struct DeleteVhost {
    /// show what would change, and change nothing; exit status 1 if anything would
    #[argh(switch)]
    pub dry_run: bool,

    /// name of the virtual host
    #[argh(positional, arg_name = "VHOST")]
    vhost: String,
}

impl DeleteVhost {
    pub fn run(&self, session: &Session) -> Result<Ending, Failure> {
        let vhost = names::vhost(&self.vhost)?;
        let diagnostics = session.diagnostics();
        let mut broker = session.broker()?;
        let what = format!("delete vhost {vhost}");
        let nothing = format!("{what}: no such vhost; nothing to delete");
        if self.dry_run {
            return match broker.vhost_exists(vhost).map_err(|it| it.context(&*what))? {
                true => dry_run::show(
                    &dry_run::delete_vhost(broker.as_mut(), vhost)
                        .map_err(|it| it.context(&*what))?,
                ),
                false => {
                    diagnostics.notice(&nothing);
                    Ok(Exit::Ok.into())
                }
            };
        }
        let goes_on = broker.goes_on_alone();
        let over = report_signals(vhost, goes_on, diagnostics)?;
        let deleted = broker.delete_vhost(vhost);
        over.store(true, Ordering::Relaxed);
        let context = |failure: Failure| {
            let hint = match failure.exit() {
                Exit::TempFail => unfinished(goes_on),
                _ => "",
            };
            Failure::new(failure.exit(), format!("{what}: {failure}{hint}"))
        };
        match deleted.map_err(context)? {
            Deleted::Now => {
                diagnostics.detail(&format!("deleted vhost {vhost}, with everything on it"));
            }
            Deleted::Before => diagnostics.notice(&nothing),
        }
        Ok(Exit::Ok.into())
    }
}

/// What happens to a deletion whose answer did not come.
fn unfinished(goes_on: bool) -> &'static str {
    if goes_on {
        "; the broker continues to delete it (a longer --timeout waits for that)"
    } else {
        "; the broker stopped in the middle; run it again with a longer --timeout"
    }
}

/// The same after a signal.
fn interrupted(goes_on: bool) -> &'static str {
    if goes_on {
        "stopped by a signal; the broker continues to delete it"
    } else {
        "stopped by a signal; the broker stopped in the middle; run it again"
    }
}

/// Makes a signal report what happens to the deletion and then end the process, until the returned
/// flag is set.
fn report_signals(
    vhost: &str,
    goes_on: bool,
    diagnostics: Diagnostics,
) -> Result<Arc<AtomicBool>, Failure> {
    let signals = signals::requests_to_stop()?;
    let over = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&over);
    let notice = format!("delete vhost {vhost}: {}", interrupted(goes_on));
    let report = move || {
        while let Ok(signal) = signals.recv() {
            if !is_over.load(Ordering::Relaxed) {
                diagnostics.notice(&notice);
            }
            signals::end_by(signal);
        }
    };
    let thread = thread::start("signals", report);
    thread.map_err(|error| Failure::io("start the signal thread", &error))?;
    Ok(over)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_by_distribution_a_deletion_goes_on_without_us() {
        for (said, alone) in [(unfinished(true), true), (unfinished(false), false)] {
            assert_eq!(said.contains("continues"), alone, "{said}");
            assert_eq!(said.contains("run it again"), !alone, "{said}");
        }
        for goes_on in [true, false] {
            assert_eq!(interrupted(goes_on).contains("run it again"), !goes_on);
        }
    }
}
