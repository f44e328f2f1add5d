//! The segment that is written to.

use crate::spool::disk::directory::Directory;
use crate::spool::disk::segment::Segment;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;

/// The segment that is written to.
#[derive(Debug)]
pub struct Active {
    pub segment: Segment,
    pub file: Arc<File>,
}

impl Active {
    pub fn create(directory: &Directory, first: u64) -> Result<Self, (String, io::Error)> {
        let salt = (RandomState::new().hash_one(first) >> 32) as u32;
        let segment = Segment { first, salt, bytes: 0 };
        let name = segment.name();
        match directory.create(&name) {
            Ok(file) => Ok(Active { segment, file: Arc::new(file) }),
            Err(error) => Err((name, error)),
        }
    }

    /// Removes what a failed write may have left.
    pub fn restore(&self, directory: &Directory, is_new: bool) -> io::Result<()> {
        if is_new {
            directory.remove(&self.segment.name())
        } else {
            self.file.set_len(self.segment.bytes)
        }
    }
}
