//! Whether the files that a run writes are distinct.

use crate::arguments::Arguments;
use crate::input::reader::Plan;
use crate::results::rejects::Rejects;
use rmq_common::failure::Failure;
use rmq_common::files;
use rmq_common::standing::stats_file::StatsFile;
use std::fs::File;
use std::io;

/// The statistics replace what is in their file, so it must not be the rejects.
///
/// # Errors
/// It is the rejects (64).
pub fn check_apart(stats: &StatsFile, rejects: &Rejects) -> Result<(), Failure> {
    match rejects.file() {
        Some(file) if files::are_one(file, stats.file()) => {
            let name = stats.name();
            Err(Failure::usage(format!("--stats {name}: --rejects writes to it")))
        }
        _ => Ok(()),
    }
}

/// A file to write must not have another use in this run.
///
/// # Errors
/// It is also read, or is where `--tee` writes (64).
pub fn check_output(
    option: &str,
    name: &str,
    file: &File,
    arguments: &Arguments,
    plan: &Plan,
) -> Result<(), Failure> {
    if plan.sources.iter().any(|source| source.is_same_file(file)) {
        return Err(Failure::usage(format!("{option} {name}: the input is read from it")));
    }
    if arguments.tee && files::are_one(io::stdout(), file) {
        return Err(Failure::usage(format!("{option} {name}: --tee writes to it")));
    }
    Ok(())
}
