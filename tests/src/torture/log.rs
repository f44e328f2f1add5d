//! The log of the flow that is followed: written line by line, and rotated continually.

use crate::tool::Tool;
use crate::torture::flow::Flow;
use crate::torture::rotation::Rotation;
use crate::torture::stage::Stage;
use std::fs::{File, OpenOptions, copy, create_dir, remove_file, rename};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The time between two checks.
const TICK: Duration = Duration::from_millis(5);

/// Rotated files that are kept even if all their lines have come out.
const KEPT: usize = 3;

/// Lines written between consecutive renames.
const BETWEEN: usize = 4;

/// The log, and the files that rotation has left beside it.
#[derive(Debug)]
pub struct Log<'a> {
    stage: &'a Stage<'a>,
    flow: &'a Flow,
    random: fastrand::Rng,
    /// Its directory, which may be moved away for a while.
    directory: PathBuf,
    file: File,
    /// Its content since the last rotation, which counts as a run in the ledger.
    generation: u32,
    /// The rotated files with their generations, newest first.
    rotated: Vec<(PathBuf, u32)>,
    /// The rotations still to come before any is repeated.
    coming: Vec<Rotation>,
    /// The end of the present rotation, and when it is due.
    pending: Option<(Instant, Rotation)>,
    /// How many names had a date.
    dates: u32,
}

impl<'a> Log<'a> {
    /// An empty log, in a directory of its own.
    ///
    /// # Panics
    /// When it cannot be created.
    pub fn new(stage: &'a Stage<'a>, flow: &'a Flow, seed: u64) -> Self {
        let directory = stage.directory.join("log");
        create_dir(&directory).expect("a directory");
        let file = opened(&directory.join("app.log"));
        Log {
            stage,
            flow,
            random: fastrand::Rng::with_seed(seed),
            directory,
            file,
            generation: flow.ledger().begin(),
            rotated: Vec::new(),
            coming: Vec::new(),
            pending: None,
            dates: 0,
        }
    }

    /// Its name.
    pub fn path(&self) -> PathBuf {
        self.directory.join("app.log")
    }

    /// Writes to it at the pace of the torture, and rotates it, until the flow ends.
    pub fn write_until_the_end(&mut self) {
        let mut due = 0.0;
        let mut last = Instant::now();
        let mut next = self.pause();
        while !self.flow.is_ending() {
            due += last.elapsed().as_secs_f64() * self.stage.rate;
            last = Instant::now();
            self.write(due as usize);
            due = due.fract();
            if self.pending.is_some_and(|(when, _)| Instant::now() >= when) {
                self.finish();
                next = self.pause();
            } else if self.pending.is_none() && Instant::now() >= next && self.is_known() {
                self.rotate();
                next = self.pause();
            }
            sleep(TICK);
        }
        self.finish();
        self.flow.ledger().promise_first(self.generation, usize::MAX);
    }

    /// Whether anything of it has come out: what was rotated before it was followed is not sent.
    fn is_known(&self) -> bool {
        self.flow.ledger().out() > 0
    }

    /// When the next rotation begins, or the end of one.
    fn pause(&mut self) -> Instant {
        Instant::now() + Duration::from_millis(self.random.u64(5..500))
    }

    /// Writes each line with one write(2).
    fn write(&mut self, lines: usize) {
        for _ in 0..lines {
            let line = self.flow.ledger().feed(self.generation, true);
            let text = line.map(|line| line.text()).unwrap_or_default();
            self.file.write_all(text.as_bytes()).expect("write the log");
        }
    }

    /// Begins a rotation.
    fn rotate(&mut self) {
        if self.coming.is_empty() {
            self.coming = Rotation::ALL.to_vec();
            self.random.shuffle(&mut self.coming);
        }
        let Some(kind) = self.coming.pop() else { return };
        self.tidy();
        let path = self.path();
        match kind {
            Rotation::Create => self.create(),
            Rotation::Late => {
                self.rename();
                opened(&path);
            }
            Rotation::Several => {
                for _ in 0..self.random.usize(2..5) {
                    self.create();
                    let lines = self.random.usize(0..BETWEEN);
                    self.write(lines);
                }
            }
            Rotation::CopyTruncate => {
                let name = self.free_name();
                copy(&path, &name).expect("copy the log");
                self.rotated.insert(0, (name, self.generation));
                self.file.set_len(0).expect("truncate the log");
                self.next_generation(true);
            }
            Rotation::Truncate => {
                self.file.set_len(0).expect("truncate the log");
                self.next_generation(false);
            }
            Rotation::Remove => remove_file(&path).expect("remove the log"),
            Rotation::Away => rename(&path, self.elsewhere()).expect("move the log"),
            Rotation::Directory => rename(&self.directory, self.elsewhere()).expect("move"),
        }
        self.flow.rotated(kind.name());
        self.note(kind.name());
        if matches!(kind, Rotation::Late | Rotation::Remove | Rotation::Away | Rotation::Directory)
        {
            self.pending = Some((self.pause(), kind));
        }
    }

    /// Ends a rotation that takes a while.
    fn finish(&mut self) {
        let Some((_, kind)) = self.pending.take() else { return };
        self.note("that is over");
        let path = self.path();
        match kind {
            Rotation::Away => rename(self.elsewhere(), &path).expect("move the log back"),
            Rotation::Directory => rename(self.elsewhere(), &self.directory).expect("move back"),
            _ => {
                self.file = opened(&path);
                self.next_generation(kind == Rotation::Late);
            }
        }
    }

    fn create(&mut self) {
        self.rename();
        self.file = opened(&self.path());
        self.next_generation(true);
    }

    fn rename(&mut self) {
        let name = self.free_name();
        rename(self.path(), &name).expect("rename the log");
        self.rotated.insert(0, (name, self.generation));
    }

    /// Everything written so far has to come out if it still exists; otherwise, a first part of it.
    fn next_generation(&mut self, exists: bool) {
        let mut ledger = self.flow.ledger();
        if exists {
            ledger.promise_first(self.generation, usize::MAX);
        } else {
            ledger.end_killed(self.generation, 0, true);
        }
        self.generation = ledger.begin();
    }

    /// A name for a rotated file: with a date, or with the number 1, after moving the others up.
    fn free_name(&mut self) -> PathBuf {
        if self.random.u8(..3) == 0 {
            self.dates += 1;
            return self.directory.join(format!("app.log-20261128{:06}", self.dates));
        }
        // The oldest first, so that each new name is free.
        for (path, _) in self.rotated.iter_mut().rev() {
            let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
            let Some(number) = name.strip_prefix("app.log.") else { continue };
            let (number, end) = number.split_at(number.find('.').unwrap_or(number.len()));
            let number: u32 = number.parse().expect("a number");
            let to = self.directory.join(format!("app.log.{}{end}", number + 1));
            rename(&*path, &to).expect("rename a rotated log");
            *path = to;
        }
        self.directory.join("app.log.1")
    }

    /// Compresses or removes old files, once all their lines have come out.
    fn tidy(&mut self) {
        let Some(index) = (KEPT..self.rotated.len())
            .rev()
            .find(|index| self.flow.ledger().is_out(self.rotated[*index].1))
        else {
            return;
        };
        let (path, generation) = self.rotated.remove(index);
        if path.extension().is_some_and(|end| end == "gz") || self.random.bool() {
            remove_file(path).expect("remove a rotated log");
            return;
        }
        let name = path.to_str().expect("UTF-8");
        Tool::program("gzip").arguments(&[name]).run().expect(0);
        self.rotated.insert(index, (PathBuf::from(format!("{name}.gz")), generation));
    }

    fn note(&self, what: &str) {
        let (generation, names) = (self.generation, self.rotated.len());
        let lines = self.flow.ledger().lines();
        let text =
            format!("log: {what}; generation {generation} after line {lines}, {names} rotated");
        self.stage.note(&text);
    }

    fn elsewhere(&self) -> PathBuf {
        self.stage.directory.join("elsewhere")
    }
}

/// The file at `path`, created if it is missing, to append to.
fn opened(path: &Path) -> File {
    OpenOptions::new().append(true).create(true).open(path).expect("open the log")
}
