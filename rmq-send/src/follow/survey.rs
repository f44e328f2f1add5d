//! What there is to read under a followed name when following starts again, with the files open.

use crate::follow::entry::Entry;
use crate::follow::fingerprint::Seen;
use crate::follow::identity::{self, Identity};
use crate::follow::resume::{Facts, Place, Step};
use crate::follow::scan::{self, Moved, Sibling};
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::files;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// The result of a survey.
#[derive(Debug)]
pub struct Survey {
    /// What to do, in this order.
    pub actions: Vec<Action>,
    /// The files beside the followed one.
    pub siblings: Vec<Sibling>,
    /// Why no file has the followed name.
    pub missing: Option<io::Error>,
    /// When the survey started, in nanoseconds since 1970.
    pub begun: i64,
}

/// What to do about one file.
#[derive(Debug)]
pub enum Action {
    /// Read it.
    Read {
        /// The file.
        file: File,
        /// Its name.
        path: PathBuf,
        /// Whether that is the followed name.
        is_current: bool,
        /// How much of it is already sent.
        seen: Seen,
    },
    /// It was read to its end; remember that as long as it exists.
    Keep(Entry),
    /// The rest of this entry's file is lost.
    Gone(usize),
    /// A whole file that came and went meanwhile, and is compressed by now.
    Missed(Sibling),
}

impl Survey {
    /// Surveys `path`, given as `name`, whose files are rotated beside `real_path`, with these
    /// `entries`.
    ///
    /// # Errors
    /// A file cannot be read (74), or files are renamed all the time (75).
    pub fn take(
        name: &str,
        path: &Path,
        real_path: &Path,
        entries: &[Entry],
    ) -> Result<Self, Failure> {
        let survey = scan::patiently(|| match attempt(name, path, real_path, entries) {
            Ok(surveyed) => surveyed.map(Ok),
            Err(failure) => Ok(Err(failure)),
        });
        survey.unwrap_or_else(|| {
            let text = format!("read {name}: its files are renamed all the time");
            Err(Failure::new(Exit::TempFail, text))
        })
    }
}

fn attempt(
    name: &str,
    path: &Path,
    real_path: &Path,
    entries: &[Entry],
) -> Result<Result<Survey, Moved>, Failure> {
    let problem = |at: &Path, error: &io::Error| {
        let shown = if at == path { Cow::Borrowed(name) } else { at.to_string_lossy() };
        Failure::io(format!("read {shown}"), error)
    };
    let begun = identity::now();
    let (current, missing) = match scan::open_regular(path) {
        Ok((_, status)) => (Some(status), None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (None, Some(error)),
        Err(error) => return Err(problem(path, &error)),
    };
    let current = current.map(|status| Sibling {
        path: path.to_owned(),
        identity: Identity::of(&status),
        modified: identity::modified(&status),
        size: identity::size(&status),
        is_compressed: false,
    });
    // On the first run, the neighbouring files are older, and are not read.
    let is_bare = entries.is_empty() || !files::parent(real_path).is_dir();
    let listed = if is_bare { Ok(Vec::new()) } else { scan::siblings(real_path) };
    let Ok(siblings) = listed else { return Ok(Err(Moved)) };
    let facts = Facts { entries, current: current.as_ref(), siblings: &siblings };
    let (moved, unreadable) = (Cell::new(false), RefCell::new(None));
    let fits = |entry: &Entry, sibling: &Sibling| match scan::open_same(sibling) {
        Ok(Ok(file)) => entry.is_in(&file),
        Ok(Err(Moved)) => {
            moved.set(true);
            false
        }
        // Whether this is the right file cannot be determined.
        Err(error) => {
            if sibling.identity == entry.identity && !entry.is_done {
                unreadable.replace(Some((sibling.path.clone(), error)));
            }
            false
        }
    };
    let mut actions = Vec::new();
    let steps = facts.steps(fits);
    if let Some((path, error)) = unreadable.take() {
        return Err(problem(&path, &error));
    }
    for step in steps {
        let (place, entry) = match step {
            Step::Continue(index, place) => (place, Some(index)),
            Step::Begin(place) => (place, None),
            Step::Keep(index, place) => {
                let known = entries[index].clone();
                let identity = facts.at(place).map_or(known.identity, |at| at.identity);
                actions.push(Action::Keep(Entry { identity, ..known }));
                continue;
            }
            Step::Gone(index) => {
                actions.push(Action::Gone(index));
                continue;
            }
            Step::Missed(index) => {
                actions.push(Action::Missed(siblings[index].clone()));
                continue;
            }
        };
        let Some(at) = facts.at(place) else { continue };
        let is_current = place == Place::Current;
        let opened = scan::open_same(at).map_err(|error| problem(&at.path, &error))?;
        let Ok(file) = opened else { return Ok(Err(Moved)) };
        let seen = match entry {
            None => Ok(Some(Seen::default())),
            Some(index) => entries[index].seen(&file),
        };
        // It may have been truncated since it was recognised.
        let Some(seen) = seen.map_err(|error| problem(&at.path, &error))? else {
            return Ok(Err(Moved));
        };
        actions.push(Action::Read { file, path: at.path.clone(), is_current, seen });
    }
    if moved.get() {
        return Ok(Err(Moved));
    }
    Ok(Ok(Survey { actions, siblings, missing, begun }))
}

impl Entry {
    /// How far its file was read, if `file` holds that content.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn seen(&self, file: &File) -> io::Result<Option<Seen>> {
        let seen = Seen::take(file, self.offset)?;
        Ok(seen.filter(|seen| seen.fingerprint() == self.fingerprint))
    }

    /// Whether a file holds what this entry knows about its file.
    fn is_in(&self, file: &File) -> bool {
        matches!(self.seen(file), Ok(Some(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::fingerprint::Fingerprint;
    use std::io::Read;
    use std::time::{Duration, SystemTime};

    /// Rotates `app.log`, which has `count` rotated files, as logrotate does, and writes the next.
    fn rotate(directory: &Path, count: u32, begun: SystemTime) {
        let at = |number: u32| directory.join(format!("app.log.{number}"));
        for number in (1..count).rev() {
            std::fs::rename(at(number), at(number + 1)).unwrap();
        }
        std::fs::rename(directory.join("app.log"), at(1)).unwrap();
        write(directory, count, begun);
    }

    fn write(directory: &Path, number: u32, begun: SystemTime) {
        let next = directory.join("next");
        std::fs::write(&next, format!("{number}\n")).unwrap();
        let file = File::options().append(true).open(&next).unwrap();
        file.set_modified(begun + Duration::from_secs(number.into())).unwrap();
        std::fs::rename(next, directory.join("app.log")).unwrap();
    }

    #[test]
    fn files_that_are_renamed_meanwhile_are_all_read_once_and_from_where_they_were_left() {
        const FILES: u32 = 60;
        let directory = tempfile::tempdir().unwrap();
        let (path, begun) = (directory.path().join("app.log"), SystemTime::now());
        write(directory.path(), 0, begun);
        let (file, status) = scan::open_regular(&path).unwrap();
        let known = Entry {
            path: String::new(),
            identity: Identity::of(&status),
            offset: 2,
            fingerprint: Fingerprint::take(&file, 2).unwrap().unwrap(),
            size: 2,
            modified: identity::modified(&status),
            is_done: false,
        };
        let place = directory.path().to_owned();
        let rotating = std::thread::spawn(move || {
            for count in 1..FILES {
                rotate(&place, count, begun);
                // Leaves moments in which nothing is renamed.
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        let mut last = 0;
        while last + 1 < FILES {
            let entries = std::slice::from_ref(&known);
            let survey = Survey::take("app.log", &path, &path, entries).unwrap();
            let mut numbers = Vec::new();
            for action in survey.actions {
                let Action::Read { mut file, seen, .. } = action else { panic!("{action:?}") };
                let mut text = String::new();
                file.read_to_string(&mut text).unwrap();
                let number: u32 = text.trim().parse().unwrap();
                assert_eq!(seen.offset() > 0, number == 0);
                numbers.push(number);
            }
            let wanted: Vec<u32> = (0..u32::try_from(numbers.len()).unwrap()).collect();
            assert_eq!(numbers, wanted);
            assert!(numbers.len() > last as usize);
            last = numbers.len() as u32 - 1;
        }
        rotating.join().unwrap();
    }
}
