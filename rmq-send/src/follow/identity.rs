//! Which file it is, whatever its name.

use rustix::fs::Stat;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How early a file's timestamp may be (one tick of the kernel's clock is at most 10 ms).
const CLOCK_STEP: Duration = Duration::from_millis(20);

/// A file's device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// The device it is on.
    pub device: u64,
    /// Its inode there, which may be reused once this file is gone.
    pub inode: u64,
}

impl Identity {
    /// The identity of the file with this status.
    pub fn of(status: &Stat) -> Self {
        Identity { device: status.st_dev, inode: status.st_ino }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "inode {}", self.inode)
    }
}

/// When a file was last changed, in nanoseconds since 1970.
pub fn modified(status: &Stat) -> i64 {
    let nanoseconds = i64::try_from(status.st_mtime_nsec).unwrap_or(0);
    status.st_mtime.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
}

/// A time before which no file will be changed from now on, in nanoseconds since 1970.
pub fn now() -> i64 {
    let time = SystemTime::now() - CLOCK_STEP;
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// A file's size in bytes.
pub fn size(status: &Stat) -> u64 {
    u64::try_from(status.st_size).unwrap_or(0)
}
