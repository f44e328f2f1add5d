//! The spool as its users see it, on a real file system.

mod bound;
mod crash;
mod damage;
mod failing;
mod full_disk;
mod hostile;
mod memory;
mod model;
mod recovery;
mod together;

use crate::spool::disk::{Appended, Damage, Directory, Done, Found, Left, Replay, Spool, Writer};
use rmq_common::failure::Failure;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// More than these tests ever write.
const PLENTY: u64 = 1 << 30;

/// What comes out: sequence numbers and payloads.
type Records = Vec<(u64, Vec<u8>)>;

/// A spool with all three of its handles.
struct Open {
    writer: Writer,
    replay: Replay,
    done: Done,
    found: Found,
}

fn open(directory: &Path) -> Open {
    open_bounded(directory, PLENTY)
}

fn open_bounded(directory: &Path, max_bytes: u64) -> Open {
    try_open(directory, max_bytes).unwrap()
}

fn try_open(path: &Path, max_bytes: u64) -> Result<Open, Failure> {
    let directory = Arc::new(Directory::open(path)?);
    if !directory.try_lock()? {
        return Err(directory.in_use());
    }
    let (writer, replay, done, found) = Spool::open(directory, max_bytes)?;
    Ok(Open { writer, replay, done, found })
}

impl Open {
    fn append(&mut self, payloads: &[impl AsRef<[u8]>]) {
        assert_eq!(self.writer.append(payloads).unwrap(), Appended::All);
    }

    /// Ends the input, and returns everything that comes out, and what could not.
    fn rest(self) -> (Records, Vec<Damage>, Done) {
        let Open { writer, mut replay, done, .. } = self;
        drop(writer);
        let (mut records, mut damage) = (Vec::new(), Vec::new());
        while let Some(batch) = replay.next().unwrap() {
            records.extend(batch.records().map(|(sequence, body)| (sequence, body.to_vec())));
            damage.extend(batch.damage);
        }
        (records, damage, done)
    }

    /// Ends the input and takes nothing.
    fn leave(self) -> Left {
        drop(self.writer);
        self.done.close().unwrap()
    }
}

/// Records that show their own numbers.
fn numbered(numbers: std::ops::RangeInclusive<u64>) -> Records {
    numbers.map(|number| (number, body(number))).collect()
}

fn body(number: u64) -> Vec<u8> {
    format!("record {number}").into_bytes()
}

fn bodies(numbers: std::ops::RangeInclusive<u64>) -> Vec<Vec<u8>> {
    numbers.map(body).collect()
}

/// A directory that holds records 1 to `last`, `each` records in a segment for each run.
fn left_behind(last: u64, each: u64) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for first in (1..=last).step_by(usize::try_from(each).unwrap()) {
        let mut spool = open(directory.path());
        spool.append(&bodies(first..=(first + each - 1).min(last)));
        spool.leave();
    }
    directory
}

/// The files in a directory, by name.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        directory.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn segments(directory: &Path) -> Vec<PathBuf> {
    let is_segment = |file: &PathBuf| file.extension().is_some_and(|name| name == "segment");
    files(directory).into_iter().filter(is_segment).collect()
}

fn names(directory: &Path) -> Vec<String> {
    let name = |file: &PathBuf| file.file_name().unwrap().to_str().unwrap().to_owned();
    files(directory).iter().map(name).collect()
}

/// A command that runs this test binary again, for the test `name` alone, as the process that is
/// killed, watched or confined; `directory` says that it is that process.
fn again(name: &str, before: &[&str], directory: &Path) -> std::process::Command {
    let own = std::env::current_exe().unwrap();
    let arguments = ["--exact", name, "--nocapture", "--test-threads=1"];
    let mut command = match before {
        [program, rest @ ..] => {
            let mut command = std::process::Command::new(program);
            command.args(rest).arg(own);
            command
        }
        [] => std::process::Command::new(own),
    };
    command.args(arguments).env(AGAIN, directory);
    command
}

/// The directory, in the process that [`again`] started.
fn directory_from_parent() -> Option<PathBuf> {
    std::env::var_os(AGAIN).map(PathBuf::from)
}

const AGAIN: &str = "RMQ_SPOOL_TEST_DIRECTORY";

/// Whether the full form of the tests was asked for.
fn soak() -> bool {
    std::env::var("RMQ_SOAK").is_ok_and(|soak| soak == "1")
}

/// Prints a seed or a measurement for a person who reads the test's output.
fn say(text: &str) {
    std::io::stdout().write_all(format!("{text}\n").as_bytes()).unwrap();
}
