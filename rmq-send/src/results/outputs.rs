//! Whether the files that a run writes are each its own.

use crate::arguments::Arguments;
use crate::input::reader::Plan;
use crate::results::rejects::Rejects;
use crate::results::tally::StatsFile;
use rmq_common::failure::Failure;
use rmq_common::files;
use rustix::fs::FileType;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;

/// The statistics take the place of what is in their file, so that must not be the rejects.
///
/// # Errors
/// It is (64).
pub fn check_apart(stats: &StatsFile, rejects: &Rejects) -> Result<(), Failure> {
    match rejects.file() {
        Some(file) if is_same(file, stats.file()) => {
            let name = stats.name();
            Err(Failure::usage(format!("--stats {name}: --rejects writes to it")))
        }
        _ => Ok(()),
    }
}

/// A file to write must be nothing else of this run.
///
/// # Errors
/// It is what is read, or where `--tee` writes (64).
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
    if arguments.tee && is_same(io::stdout(), file) {
        return Err(Failure::usage(format!("{option} {name}: --tee writes to it")));
    }
    Ok(())
}

fn is_same(one: impl AsFd, other: impl AsFd) -> bool {
    match (rustix::fs::fstat(one), rustix::fs::fstat(other)) {
        (Ok(one), Ok(other)) => {
            // On a terminal people tell them apart, and /dev/null keeps neither.
            FileType::from_raw_mode(one.st_mode) != FileType::CharacterDevice
                && files::is_same(&one, &other)
        }
        _ => false,
    }
}
