//! The spool's directory: created, checked, and then held open, so that its files are reached
//! through it and nothing that happens to the path can lead elsewhere.
//!
//! Everything in a spool is sent with the credentials of the user who runs rmq-send, so nothing in
//! it may come from another user: the directory and its files belong to that user, no other user
//! can write to the directory, and no symbolic link is followed. Root is not an exception.

use crate::spool::disk::segment::Segment;
use crate::spool::disk::{format, private};
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rustix::fs::{AtFlags, Dir, FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where the process that has the spool stores its process id.
const PID: &str = "pid";
/// Locked by the process that gets the spool next.
const NEXT: &str = "next";

#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    descriptor: OwnedFd,
}

impl Directory {
    /// Opens the directory. If missing, it is created for its owner alone, with its parents.
    ///
    /// # Errors
    /// It cannot be created or opened, or another user can write to it (74).
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let opened =
            private::make(path).and_then(|()| private::open(path)).and_then(|descriptor| {
                if let Some(why) = private::foreign(&rustix::fs::fstat(&descriptor)?, path) {
                    return Err(io::Error::other(why));
                }
                Ok(Directory { path: path.to_owned(), descriptor })
            });
        opened.map_err(|error| Failure::io(format!("spool {}", path.display()), &error))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of one of its files, or its own if `name` is empty.
    pub fn at(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.path.clone() } else { self.path.join(name) }
    }

    /// A failure of the operating system [`at`](Self::at) a file.
    pub fn problem(&self, name: &str, error: &io::Error) -> Failure {
        Failure::io(format!("spool {}", self.at(name).display()), error)
    }

    /// Locks the directory itself, so that removing one of its files lets no other process in.
    /// False if another process has the lock.
    ///
    /// # Errors
    /// Its file system has no such locks (74).
    pub fn try_lock(&self) -> Result<bool, Failure> {
        self.locked(rustix::fs::flock(&self.descriptor, FlockOperation::NonBlockingLockExclusive))
    }

    /// Waits, without limit, until this process has the lock. Waiting processes form a queue, whose
    /// head [`is_awaited`](Self::is_awaited) sees.
    ///
    /// # Errors
    /// As [`try_lock`](Self::try_lock); the queue's file cannot be opened (74).
    pub fn wait_for_lock(&self) -> Result<(), Failure> {
        let next = self.write(NEXT).map_err(|error| self.problem(NEXT, &error))?;
        for descriptor in [next.as_fd(), self.descriptor.as_fd()] {
            let lock = || rustix::fs::flock(descriptor, FlockOperation::LockExclusive);
            self.locked(rustix::io::retry_on_intr(lock))?;
        }
        Ok(())
    }

    /// Whether another process waits for the lock.
    pub fn is_awaited(&self) -> bool {
        let Ok(next) = self.read(NEXT) else { return false };
        let locked = rustix::fs::flock(&next, FlockOperation::NonBlockingLockShared);
        locked == Err(Errno::WOULDBLOCK)
    }

    /// Releases the lock. Closing the descriptor may not: a process that is being forked keeps it.
    pub fn unlock(&self) {
        let _ = rustix::fs::flock(&self.descriptor, FlockOperation::Unlock);
    }

    /// Stores this process's id for those that find the directory locked. A full disk does not
    /// matter.
    pub fn sign(&self) {
        let Ok(mut file) = self.write(PID) else { return };
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    }

    /// The error if another process has the lock.
    pub fn in_use(&self) -> Failure {
        let mut pid = String::new();
        // The process id is only a help; what counts is that the lock is taken.
        let _ = self.read(PID).and_then(|file| file.take(20).read_to_string(&mut pid));
        let who = match pid.trim() {
            "" => String::new(),
            pid => format!(" (pid {pid})"),
        };
        let text = format!("spool {}: in use by another rmq-send{who}", self.path.display());
        Failure::new(Exit::TempFail, text)
    }

    /// Whether its path still leads to it: it may have been removed and created again.
    pub fn is_current(&self) -> bool {
        let own = rustix::fs::fstat(&self.descriptor);
        match (own, std::fs::metadata(&self.path)) {
            (Ok(own), Ok(now)) => (own.st_dev, own.st_ino) == (now.dev(), now.ino()),
            _ => false,
        }
    }

    /// Opens a file to read it.
    ///
    /// # Errors
    /// As the operating system says, or it is not a file of ours.
    pub fn read(&self, name: &str) -> io::Result<File> {
        self.file(name, OFlags::RDONLY)
    }

    /// Opens a file for reading and writing, created if missing.
    pub fn write(&self, name: &str) -> io::Result<File> {
        self.file(name, OFlags::RDWR | OFlags::CREATE)
    }

    /// Opens a file for reading and appending, created if missing.
    pub fn append(&self, name: &str) -> io::Result<File> {
        self.file(name, OFlags::RDWR | OFlags::CREATE | OFlags::APPEND)
    }

    /// Creates a file that does not exist yet.
    pub fn create(&self, name: &str) -> io::Result<File> {
        self.file(name, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL)
    }

    /// Opens an existing file for writing.
    pub fn change(&self, name: &str) -> io::Result<File> {
        self.file(name, OFlags::WRONLY)
    }

    fn file(&self, name: &str, flags: OFlags) -> io::Result<File> {
        // Does not wait, so that a FIFO cannot block us.
        let safe = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = match rustix::fs::openat(&self.descriptor, name, flags | safe, mode) {
            Ok(file) => file,
            Err(Errno::LOOP) => return Err(io::Error::other("a symbolic link, which is refused")),
            // A FIFO without a reader, or a socket.
            Err(Errno::NXIO) => return Err(io::Error::other(NOT_REGULAR)),
            Err(error) => return Err(error.into()),
        };
        let status = rustix::fs::fstat(&file)?;
        if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
            return Err(io::Error::other(NOT_REGULAR));
        }
        match private::foreign(&status, &self.path.join(name)) {
            Some(why) => Err(io::Error::other(why)),
            None => Ok(file.into()),
        }
    }

    /// Removes a file.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.descriptor, name, AtFlags::empty())?)
    }

    /// The segments in it, in order.
    ///
    /// # Errors
    /// It cannot be read, or a segment is not a file of ours (74).
    pub fn segments(&self) -> Result<Vec<Segment>, Failure> {
        let problem = |error: Errno| self.problem("", &error.into());
        let mut segments = Vec::new();
        for entry in Dir::read_from(&self.descriptor).map_err(problem)? {
            let entry = entry.map_err(problem)?;
            let Some((name, (first, salt))) = entry
                .file_name()
                .to_str()
                .ok()
                .and_then(|name| Some((name, format::parse_name(name)?)))
            else {
                continue;
            };
            let length = self.read(name).and_then(|file| file.metadata());
            let length = length.map_err(|error| self.problem(name, &error))?.len();
            segments.push(Segment { first, salt, bytes: length });
        }
        segments.sort_unstable_by_key(|segment| (segment.first, segment.bytes));
        Ok(segments)
    }

    /// Syncs what was last created and removed in it.
    pub fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.descriptor)?)
    }

    /// Keeps a damaged file under a second name, which stays when the first is removed.
    pub fn keep_aside(&self, name: &str) -> Option<PathBuf> {
        let aside = format!("{name}.damaged");
        let directory = &self.descriptor;
        match rustix::fs::linkat(directory, name, directory, &*aside, AtFlags::empty()) {
            Ok(()) | Err(Errno::EXIST) => Some(self.path.join(aside)),
            Err(_) => None,
        }
    }

    /// The result of a `flock`.
    fn locked(&self, locked: rustix::io::Result<()>) -> Result<bool, Failure> {
        match locked {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            // NFS locks only files that are open for writing, which a directory cannot be.
            Err(Errno::BADF | Errno::NOTSUP | Errno::NOLCK) => {
                let why = "its file system cannot lock a directory (use a local disk)";
                Err(self.problem("", &io::Error::other(why)))
            }
            Err(error) => Err(self.problem("", &error.into())),
        }
    }
}

const NOT_REGULAR: &str = "not a regular file";
