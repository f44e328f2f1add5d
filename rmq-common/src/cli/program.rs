//! The frame of every `main`: from arguments to a diagnostic and an exit status.

use crate::cli::arguments::{self, Aliases};
use crate::cli::diagnostics::Diagnostics;
use crate::cli::exit::{Ending, Exit};
use crate::cli::failure::Failure;
use crate::cli::help::Help;
use crate::cli::process_limits;
use crate::cli::signals;
use argh::{ArgsInfo, FromArgs};
use std::process::ExitCode;

/// Parses the arguments, runs the tool, reports its failure if any, and returns what `main`
/// returns. If a signal requested the end, it ends by that signal and does not return.
pub fn run<T: FromArgs + ArgsInfo>(
    program: &'static str,
    aliases: Aliases,
    help: &Help,
    tool: impl FnOnce(T) -> Result<Ending, Failure> + Send,
) -> ExitCode {
    process_limits::report_panics(program);
    process_limits::save_addresses();
    let run = || {
        signals::begin()?;
        let Some(arguments) = arguments::parse::<T>(program, aliases, help)? else {
            return Ok(Exit::Ok.into());
        };
        process_limits::check()?;
        tool(arguments)
    };
    match process_limits::with_stack(run).and_then(|outcome| outcome) {
        Ok(Ending::Exit(exit)) => ExitCode::from(exit.status()),
        Ok(Ending::Signal(signal)) => {
            signals::end_by(signal);
            // Only reached if the signal is one whose default is not to end a process.
            ExitCode::from(128u8.saturating_add(u8::try_from(signal).unwrap_or(0)))
        }
        Err(failure) => {
            let failure = failure.with_way_on();
            Diagnostics::new(program, false, false).error(&failure);
            ExitCode::from(failure.exit().status())
        }
    }
}
