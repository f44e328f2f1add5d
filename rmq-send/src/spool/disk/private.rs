//! Directories and files that belong to this user alone.

use rmq_common::files::parent;
use rustix::fs::{Mode, OFlags, Stat};
use rustix::io::Errno;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The most symbolic links followed on the way to the directory.
const MOST_LINKS: usize = 8;

/// Why a directory, or a file in it, does not belong to this user alone.
pub fn foreign(status: &Stat, path: &Path) -> Option<String> {
    let own = rustix::process::geteuid().as_raw();
    if status.st_uid != own {
        let owner = status.st_uid;
        return Some(format!("belongs to user {owner}, and this is user {own}"));
    }
    let others = Mode::WGRP | Mode::WOTH;
    let writable = Mode::from_raw_mode(status.st_mode).intersects(others);
    writable.then(|| format!("others can write to it (chmod go-w {})", path.display()))
}

/// Opens a directory. It may be named by a symbolic link of this user's or root's: one of another
/// user's could lead to any directory of ours.
pub fn open(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // A slash at the end would follow a link.
    let mut path: PathBuf = path.components().collect();
    for _ in 0..MOST_LINKS {
        match rustix::fs::open(&path, flags, Mode::empty()) {
            Ok(directory) => return Ok(directory),
            Err(Errno::LOOP | Errno::NOTDIR) => {}
            Err(error) => return Err(error.into()),
        }
        let link = path.symlink_metadata()?;
        if !link.is_symlink() {
            return Err(Errno::NOTDIR.into());
        }
        let owner = link.uid();
        if owner != 0 && owner != rustix::process::geteuid().as_raw() {
            return Err(io::Error::other(format!("a symbolic link of user {owner}")));
        }
        path = parent(&path).join(path.read_link()?).components().collect();
    }
    Err(Errno::LOOP.into())
}

/// Syncs the directory that contains a name, so that the name survives a power cut.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    File::open(parent(path))?.sync_all()
}

/// Creates a directory and its missing parents, and syncs each one's parent.
pub fn make(directory: &Path) -> io::Result<()> {
    let missing = directory.ancestors().take_while(|path| !path.as_os_str().is_empty());
    let mut missing: Vec<&Path> = missing.take_while(|path| !path.exists()).collect();
    while let Some(path) = missing.pop() {
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => sync_parent(path)?,
            // Another process was quicker.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
