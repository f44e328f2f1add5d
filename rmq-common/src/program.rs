//! The frame of every `main`: arguments in, a diagnostic and an exit status out.

use crate::arguments::{self, Aliases};
use crate::diagnostics::Diagnostics;
use crate::exit::{Ending, Exit};
use crate::failure::Failure;
use crate::help::Help;
use crate::process_limits;
use crate::signals;
use argh::{ArgsInfo, FromArgs};
use std::process::ExitCode;

/// Reads the arguments, runs the tool with them, tells its failure if there is one, and turns the
/// outcome into what `main` returns. Where a signal asked for the end it ends by that signal and
/// does not return.
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
            Diagnostics::new(program, false, false).error(&failure);
            ExitCode::from(failure.exit().status())
        }
    }
}
