//! One followed name: the generations of its file, and what happens to the name.

use crate::follow::generation::Generation;
use crate::follow::identity::Identity;
use crate::follow::scan::{self, Moved};
use crate::follow::tools::Tools;
use rmq_common::count::counted;
use rmq_common::failure::{Cause, Failure};
use rmq_common::files;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long a rotated file must be quiet before its writer is assumed to have moved on.
const QUIET: Duration = Duration::from_secs(5);

/// Where a file that is read can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Under the followed name.
    Named,
    /// Under another name beside it.
    Rotated,
}

/// A followed name.
#[derive(Debug)]
pub struct Log {
    index: usize,
    /// As it was given.
    name: Arc<str>,
    /// The absolute path.
    path: PathBuf,
    /// Oldest first.
    generations: VecDeque<Generation>,
    /// The last reported reason why the name cannot be read.
    problem: Option<String>,
    /// The time before which all files that had the name are known, in nanoseconds since 1970, if
    /// none has it.
    missing_since: Option<i64>,
}

impl Log {
    /// The name `name`, from which nothing has been read yet.
    ///
    /// # Errors
    /// The current directory is unknown (74).
    pub fn new(index: usize, name: &str) -> Result<Self, Failure> {
        let path = std::path::absolute(name)
            .map_err(|error| Failure::io(format!("read {name}"), &error))?;
        let (name, generations) = (Arc::from(name), VecDeque::new());
        Ok(Log { index, name, path, generations, problem: None, missing_since: None })
    }

    /// As it was given.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The generations.
    pub fn generations(&self) -> impl Iterator<Item = &Generation> {
        self.generations.iter()
    }

    /// The name in the positions file: JSON cannot carry bytes that are not UTF-8; they are
    /// replaced.
    pub fn key(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    /// Checks what has happened to the name and to the files being read. If files are being renamed
    /// just now, that cannot be determined, and nothing must be read before the next check.
    pub fn look(&mut self, tools: &mut Tools) -> Result<(), Moved> {
        let looked = self.try_look(tools);
        if looked.is_err() {
            // The next check will be soon.
            self.problem.get_or_insert_default();
        }
        looked
    }

    fn try_look(&mut self, tools: &mut Tools) -> Result<(), Moved> {
        if let Some(index) = self.find_truncated() {
            self.truncated(index, tools)?;
        }
        self.look_beside(tools)?;
        match rustix::fs::stat(&self.path).map_err(io::Error::from).and_then(scan::regular) {
            Ok(status) => {
                let identity = Identity::of(&status);
                match self.generations.iter().position(|one| one.identity() == identity) {
                    Some(index) => self.is_at(index),
                    None => self.appeared(tools)?,
                }
            }
            Err(error) => {
                if let Some(last) = self.generations.back_mut() {
                    last.rotated(true);
                }
                self.report(&error, tools);
            }
        }
        Ok(())
    }

    /// The name belongs to this generation, as before or again.
    fn is_at(&mut self, index: usize) {
        self.problem = None;
        self.generations[index].rotated(false);
        if index + 1 < self.generations.len()
            && let Some(generation) = self.generations.remove(index)
        {
            for other in &mut self.generations {
                other.rotated(true);
            }
            self.generations.push_back(generation);
        }
    }

    /// The name belongs to a file that is not being read yet.
    fn appeared(&mut self, tools: &mut Tools) -> Result<(), Moved> {
        for generation in &mut self.generations {
            generation.rotated(true);
        }
        let (file, status) = match scan::open_regular(&self.path) {
            Ok(opened) => opened,
            Err(error) => {
                self.report(&error, tools);
                return Ok(());
            }
        };
        let absent = tools.register.absent(&self.key());
        if !absent.is_empty() {
            self.returned(absent, tools);
            return Ok(());
        }
        let identity = Identity::of(&status);
        let last = self.generations.back().map(Generation::known_until);
        let last = last.or(self.missing_since);
        let arrivals = self.arrivals(last, identity, tools)?;
        // Anything that appeared since then is younger than this file.
        let now = rustix::fs::stat(&self.path);
        let is_same = now.is_ok_and(|now| Identity::of(&now) == identity);
        if !is_same || self.find_truncated().is_some() {
            return Err(Moved);
        }
        self.problem = None;
        let known_until = arrivals.begun();
        self.arrive(arrivals, tools);
        // It may be a file that was already read to its end and has its name back.
        let seen = self.read_before(identity, &file, tools);
        if let Err(error) = self.add(file, seen, Place::Named, known_until, tools) {
            self.report(&error, tools);
        }
        self.watch_names(tools);
        Ok(())
    }

    /// The file with this number was truncated before it was read to its end.
    pub fn cut_off(&mut self, number: u64, tools: &mut Tools) {
        let index = self.generations.iter().position(|one| one.number == number);
        if let Some(index) = index
            && self.truncated(index, tools).is_err()
        {
            // The next round tries again.
            self.problem.get_or_insert_default();
        }
    }

    /// A rotated file no longer holds what was read from it.
    pub fn lose_rotated(&mut self, number: u64, tools: &mut Tools) {
        let Some(generation) = self.generations.iter_mut().find(|one| one.number == number) else {
            return;
        };
        let lost = generation.lose();
        tools.watch.forget(number);
        tools.register.lose(number);
        if lost > 0 {
            let (name, lost) = (&self.name, counted(lost, "byte"));
            tools.gap(format!("{name}: its rotated file was overwritten: {lost} not sent"));
        }
    }

    /// Updates the sizes, the newest generation first: any bytes then found in an older one were
    /// there before anything that is read from a newer one.
    pub fn measure(&mut self, tools: &Tools) {
        for generation in self.generations.iter_mut().rev() {
            measure(generation, tools);
        }
    }

    /// The oldest generation with something to read.
    pub fn readable(&mut self) -> Option<&mut Generation> {
        let is_readable = |one: &Generation| one.unread() > 0 && !self.is_copy_of_newest(one);
        let index = self.generations.iter().position(is_readable)?;
        self.generations.get_mut(index)
    }

    /// Whether it is a copy of the newest generation, which is about to be truncated or just was:
    /// the copy is read from where the original stopped, once the truncation is noticed.
    fn is_copy_of_newest(&self, one: &Generation) -> bool {
        let Some(newest) = self.generations.back() else { return false };
        one.seen().offset() == 0
            && one.number != newest.number
            && (newest.begins_with(one.file()) || newest.is_copied_to(one.file()))
            && one.is_fresh(QUIET)
    }

    /// Whether the newest generation may be read; if not, neighbouring files have to be listed
    /// first.
    pub fn is_settled(&self) -> bool {
        self.generations.back().is_none_or(|last| last.unread() == 0 || last.is_settled())
    }

    /// The first generation that no longer holds what was read from it.
    fn find_truncated(&mut self) -> Option<usize> {
        self.generations.iter_mut().position(|one| !one.is_lost() && !one.still_holds())
    }

    /// Removes and returns the oldest generation, if nothing more will come from it.
    pub fn over(&mut self, once: bool) -> Option<Generation> {
        let mut generations = self.generations.iter();
        let oldest = generations.next()?;
        let moved_on = generations.any(|later| later.size() > 0) && oldest.is_quiet(QUIET);
        let is_over =
            oldest.is_rotated() && oldest.unread() == 0 && (once || moved_on || oldest.is_lost());
        let over = if is_over { self.generations.pop_front() } else { None };
        if self.generations.is_empty()
            && let Some(last) = &over
        {
            self.missing_since = Some(last.known_until());
        }
        over
    }

    /// Whether it has to be checked again soon even if no change is reported.
    pub fn is_restless(&self) -> bool {
        // A rotated file waits until its successor is written to, which is noticed.
        let has_successor = self.generations.iter().skip(1).any(|later| later.size() > 0);
        has_successor || self.generations.is_empty() || self.problem.is_some()
    }

    /// Bytes read from records whose end has not come.
    pub fn partial(&self) -> u64 {
        self.generations.iter().map(Generation::partial).sum()
    }

    /// Where the file really is if the name is a symbolic link: rotation happens there.
    fn real_path(&self) -> PathBuf {
        std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone())
    }

    /// Watches the directories that matter for changes of names; if missing, the nearest existing
    /// parent.
    pub fn watch_names(&self, tools: &mut Tools) {
        for path in [self.path.clone(), self.real_path()] {
            let nearest = files::parent(&path).ancestors().find(|directory| directory.is_dir());
            if let Some(directory) = nearest {
                tools.watch.directory(self.index, directory);
            }
        }
    }

    /// Reports what keeps the name from being read, once.
    fn report(&mut self, error: &io::Error, tools: &mut Tools) {
        self.watch_names(tools);
        let why = Cause(error).to_string();
        // Between two steps of a rotation the name is missing for a moment.
        let is_rotating = error.kind() == io::ErrorKind::NotFound && !self.generations.is_empty();
        if !is_rotating && self.problem.as_ref() != Some(&why) {
            let name = &self.name;
            let waiting = if tools.once { "" } else { "; waiting for it" };
            tools.diagnostics.notice(&format!("read {name}: {why}{waiting}"));
        }
        self.problem = Some(why);
    }
}

/// Updates the size of one.
fn measure(generation: &mut Generation, tools: &Tools) {
    if let Some(size) = generation.resized() {
        tools.register.resize(generation.number, size, generation.known_until());
    }
}

mod arrivals;
mod beginning;
mod gaps;
#[cfg(test)]
mod tests;
