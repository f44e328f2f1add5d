//! Noticing that a file has changed: by inotify(7) if the system has it, otherwise by polling.
//!
//! The system call is used rather than a crate around it: what is watched is the open file, through
//! `/proc/self/fd`, whatever its name has become; crates that watch paths do not offer that.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, PipeReader};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

/// Bytes of events taken at once.
const EVENTS: usize = 4096;

/// What is watched, and for which logs.
#[derive(Debug)]
pub struct Watch {
    inotify: Option<OwnedFd>,
    logs: HashMap<i32, BTreeSet<usize>>,
    files: HashMap<u64, i32>,
    /// Whether something could not be watched.
    is_short: bool,
}

/// What ended a wait.
#[derive(Debug, PartialEq, Eq)]
pub enum Woken {
    /// A stop is requested.
    Stop,
    /// These logs may have changed; none if the time is over.
    Changed(BTreeSet<usize>),
    /// Any log may have.
    All,
}

impl Watch {
    /// Watches nothing yet.
    pub fn new() -> Self {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok();
        let is_short = inotify.is_none();
        Watch { inotify, logs: HashMap::new(), files: HashMap::new(), is_short }
    }

    /// Whether something has to be polled because it cannot be watched.
    pub fn is_short(&self) -> bool {
        self.is_short
    }

    /// Watches the open file with this number for a log.
    pub fn file(&mut self, log: usize, number: u64, file: &File) {
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let flags = WatchFlags::MODIFY | WatchFlags::ATTRIB | WatchFlags::MOVE_SELF;
        match self.add(log, Path::new(&path), flags) {
            Some(watch) => {
                self.files.insert(number, watch);
            }
            None => self.is_short = true,
        }
    }

    /// Watches a directory for changes of names.
    pub fn directory(&mut self, log: usize, path: &Path) {
        let flags = WatchFlags::CREATE
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::DELETE
            | WatchFlags::DELETE_SELF
            | WatchFlags::ONLYDIR;
        self.add(log, path, flags);
    }

    fn add(&mut self, log: usize, path: &Path, flags: WatchFlags) -> Option<i32> {
        let inotify = self.inotify.as_ref()?;
        match inotify::add_watch(inotify, path, flags) {
            Ok(watch) => {
                self.logs.entry(watch).or_default().insert(log);
                Some(watch)
            }
            // A later check will look for it.
            Err(Errno::NOENT | Errno::NOTDIR) => None,
            Err(_) => {
                self.is_short = true;
                None
            }
        }
    }

    /// Forgets the file with this number, which is no longer read.
    pub fn forget(&mut self, number: u64) {
        if let (Some(inotify), Some(watch)) = (&self.inotify, self.files.remove(&number))
            && !self.files.values().any(|other| *other == watch)
        {
            // The watch may already have gone with its file.
            let _ = inotify::remove_watch(inotify, watch);
            self.logs.remove(&watch);
        }
    }

    /// Waits until something changes, a stop is requested, or the time is over.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn wait(&mut self, stopped: &PipeReader, time: Duration) -> io::Result<Woken> {
        let time = Timespec {
            tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: time.subsec_nanos().into(),
        };
        let mut descriptors = vec![PollFd::new(stopped, PollFlags::IN)];
        if let Some(inotify) = &self.inotify {
            descriptors.push(PollFd::new(inotify, PollFlags::IN));
        }
        match poll(&mut descriptors, Some(&time)) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(Woken::Changed(BTreeSet::new())),
            Err(error) => return Err(error.into()),
        }
        if !descriptors[0].revents().is_empty() {
            return Ok(Woken::Stop);
        }
        self.events()
    }

    fn events(&mut self) -> io::Result<Woken> {
        let mut changed = BTreeSet::new();
        let Some(inotify) = &self.inotify else { return Ok(Woken::Changed(changed)) };
        let mut buffer = [MaybeUninit::uninit(); EVENTS];
        let mut reader = Reader::new(inotify, &mut buffer);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::WOULDBLOCK) => return Ok(Woken::Changed(changed)),
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            // There were so many events that the system has dropped some.
            if event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
                return Ok(Woken::All);
            }
            if let Some(logs) = self.logs.get(&event.wd()) {
                changed.extend(logs);
            }
            if event.events().contains(ReadFlags::IGNORED) {
                self.logs.remove(&event.wd());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const LONG: Duration = Duration::from_secs(10);

    fn changed(watch: &mut Watch, stopped: &PipeReader, time: Duration) -> Vec<usize> {
        match watch.wait(stopped, time).unwrap() {
            Woken::Changed(logs) => logs.into_iter().collect(),
            woken => panic!("{woken:?}"),
        }
    }

    #[test]
    fn a_file_is_watched_whatever_its_name_and_a_directory_for_new_names() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.log");
        let mut file = File::create(&path).unwrap();
        let (stopped, stop) = io::pipe().unwrap();
        let mut watch = Watch::new();
        watch.file(3, 1, &File::open(&path).unwrap());
        watch.directory(5, directory.path());
        assert!(!watch.is_short());
        assert!(changed(&mut watch, &stopped, Duration::ZERO).is_empty());
        std::fs::rename(&path, directory.path().join("a.log.1")).unwrap();
        assert_eq!(changed(&mut watch, &stopped, LONG), [3, 5]);
        file.write_all(b"line\n").unwrap();
        assert_eq!(changed(&mut watch, &stopped, LONG), [3]);
        File::create(&path).unwrap();
        assert_eq!(changed(&mut watch, &stopped, LONG), [5]);
        watch.forget(1);
        file.write_all(b"line\n").unwrap();
        assert!(changed(&mut watch, &stopped, Duration::from_millis(20)).is_empty());
        drop(stop);
        assert_eq!(watch.wait(&stopped, LONG).unwrap(), Woken::Stop);
    }
}
