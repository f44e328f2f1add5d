//! Which file it is, whatever its name.

use rustix::fs::Stat;
use std::fmt;

/// A file's device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// The device it is on.
    pub device: u64,
    /// Its inode there, which another file may get once this one is gone.
    pub inode: u64,
}

impl Identity {
    /// The file that this is the status of.
    pub fn of(status: &Stat) -> Self {
        Identity { device: status.st_dev, inode: status.st_ino }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "inode {}", self.inode)
    }
}

/// When a file was changed last, in nanoseconds since 1970.
pub fn modified(status: &Stat) -> i64 {
    let nanoseconds = i64::try_from(status.st_mtime_nsec).unwrap_or(0);
    status.st_mtime.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
}

/// A file's size in bytes.
pub fn size(status: &Stat) -> u64 {
    u64::try_from(status.st_size).unwrap_or(0)
}
