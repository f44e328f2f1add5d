//! What is wrong with a segment, in one line.

use std::fmt;
use std::path::PathBuf;

/// The incomplete end of the last segment, written by an interrupted run. It has been cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// The segment.
    pub file: PathBuf,
    /// Where the torn end began.
    pub offset: u64,
    /// How long it was, in bytes.
    pub bytes: u64,
}

impl fmt::Display for Torn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Torn { file, offset, bytes } = self;
        let file = file.display();
        write!(f, "{file}: an incomplete record is cut off ")?;
        write!(f, "({bytes} bytes at byte {offset})")
    }
}

/// Unreadable bytes in the middle of a spool. What comes after them can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The segment.
    pub file: PathBuf,
    /// Where the damage begins.
    pub offset: u64,
    /// How many bytes are skipped; 0 if they are missing altogether.
    pub bytes: u64,
    /// How many records are lost that were not done.
    pub records: u64,
    /// Where the segment is kept after use; `None` if it is not damaged, or cannot be kept.
    pub aside: Option<PathBuf>,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Damage { file, offset, bytes, records, aside } = self;
        let file = file.display();
        if *bytes == 0 {
            return write!(f, "{file}: {records} records are missing after byte {offset}");
        }
        write!(f, "{file}: damaged at byte {offset}: {bytes} bytes skipped, ")?;
        write!(f, "{records} records lost")?;
        match aside {
            Some(aside) => write!(f, "; kept as {}", aside.display()),
            None => Ok(()),
        }
    }
}
