//! Opening files that are named on a command line, in directories that may be writable by others,
//! such as `/tmp`: nothing that another user has put there is followed or written to, and nothing
//! blocks.

mod replace;

use crate::cli::standard_streams;
pub use replace::replace;
use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// The most symbolic links followed on the way to a file.
const MOST_LINKS: usize = 8;

/// Opens `path` without waiting: a FIFO to write that nothing reads is `ENXIO`. Later reads and
/// writes do not wait either, unless [`wait`] says so. `/dev/stdout` and similar names are the
/// streams themselves.
///
/// # Errors
/// As the operating system says; or a symbolic link (in `/tmp`, any file) is another user's.
pub fn open(path: &Path, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
    if let Some(stream) = standard_streams::at(path) {
        return again(stream, flags);
    }
    let flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let directory = rustix::fs::stat(parent(&path))?;
        // If no other user can write there, whatever is there is intended.
        if !is_shared(&directory) {
            return Ok(rustix::fs::open(&path, flags, mode)?);
        }
        match rustix::fs::open(&path, flags | OFlags::NOFOLLOW, mode) {
            Ok(file) if is_sticky(&directory) => {
                return match foreign(&rustix::fs::fstat(&file)?) {
                    Some(why) => Err(io::Error::other(why)),
                    None => Ok(file),
                };
            }
            Ok(file) => return Ok(file),
            // Linux itself refuses part of what is refused here (protected_regular in proc(5)).
            Err(Errno::LOOP | Errno::ACCESS) => {}
            Err(error) => return Err(error.into()),
        }
        let link = rustix::fs::lstat(&path)?;
        if FileType::from_raw_mode(link.st_mode) != FileType::Symlink {
            return Err(match foreign(&link) {
                Some(why) if is_sticky(&directory) => io::Error::other(why),
                _ => Errno::ACCESS.into(),
            });
        }
        if !is_trusted(link.st_uid) {
            let owner = link.st_uid;
            let why = format!("a symbolic link of user {owner}, which is not followed");
            return Err(io::Error::other(why));
        }
        path = parent(&path).join(path.read_link()?);
    }
    Err(Errno::LOOP.into())
}

/// Another descriptor for an open stream; they share the position with any other writer of it.
fn again(stream: BorrowedFd<'_>, flags: OFlags) -> io::Result<OwnedFd> {
    let access = rustix::fs::fcntl_getfl(stream)? & OFlags::ACCMODE;
    let wanted = flags & OFlags::ACCMODE;
    if access != wanted && access != OFlags::RDWR {
        let reading = wanted == OFlags::RDONLY;
        let why = if reading { "it is not open for reading" } else { "it is not open for writing" };
        return Err(io::Error::other(why));
    }
    Ok(rustix::io::fcntl_dupfd_cloexec(stream, 3)?)
}

/// Whether `path` names an open descriptor: its file is not ours alone, so new content is appended.
pub fn is_descriptor(path: &Path) -> bool {
    let parents = ["/dev/fd", "/proc/self/fd"].map(Path::new).map(Some);
    standard_streams::at(path).is_some() || parents.contains(&path.parent())
}

/// Makes later reads and writes wait.
///
/// # Errors
/// As the operating system says.
pub fn wait(file: &OwnedFd) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(file)?;
    // An inherited stream stays as it is, unless it has to be changed.
    if flags.contains(OFlags::NONBLOCK) {
        rustix::fs::fcntl_setfl(file, flags - OFlags::NONBLOCK)?;
    }
    Ok(())
}

/// Whether two files are the same.
pub fn is_same(one: &Stat, other: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

/// Whether two open files are the same, except terminals and /dev/null, where that does no harm.
pub fn are_one(one: impl AsFd, other: impl AsFd) -> bool {
    match (rustix::fs::fstat(one), rustix::fs::fstat(other)) {
        (Ok(one), Ok(other)) => {
            FileType::from_raw_mode(one.st_mode) != FileType::CharacterDevice
                && is_same(&one, &other)
        }
        _ => false,
    }
}

/// The directory that a file is in.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn is_trusted(owner: u32) -> bool {
    owner == 0 || owner == rustix::process::geteuid().as_raw()
}

/// Whether another user can put something into a directory.
fn is_shared(directory: &Stat) -> bool {
    let mode = Mode::from_raw_mode(directory.st_mode);
    mode.intersects(Mode::WGRP | Mode::WOTH) || !is_trusted(directory.st_uid)
}

/// Whether a directory is one in which users keep their own files, as in /tmp.
fn is_sticky(directory: &Stat) -> bool {
    Mode::from_raw_mode(directory.st_mode).contains(Mode::SVTX | Mode::WOTH)
}

/// Why a file in such a directory may be a trap.
fn foreign(file: &Stat) -> Option<String> {
    let kind = FileType::from_raw_mode(file.st_mode);
    if !is_trusted(file.st_uid) {
        return Some(format!(
            "belongs to user {}, in a directory that everyone can write to",
            file.st_uid
        ));
    }
    (kind == FileType::RegularFile && file.st_nlink > 1)
        .then(|| "has a second name, in a directory that everyone can write to".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};

    const WRITE: OFlags = OFlags::WRONLY.union(OFlags::CREATE);
    const STRANGER: Option<u32> = Some(65_534);

    fn tried(path: &Path) -> Result<(), String> {
        open(path, WRITE, Mode::RUSR | Mode::WUSR).map(drop).map_err(|error| error.to_string())
    }

    fn directory(mode: u32) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        set_permissions(directory.path(), Permissions::from_mode(mode)).unwrap();
        directory
    }

    #[test]
    fn links_of_ours_are_followed_and_devices_are_opened() {
        for mode in [0o700, 0o1777, 0o770] {
            let directory = directory(mode);
            let [one, two, file] = ["one", "two", "file"].map(|name| directory.path().join(name));
            symlink("two", &one).unwrap();
            symlink(&file, &two).unwrap();
            assert_eq!(tried(&one), Ok(()));
            assert!(file.is_file());
            let looped = directory.path().join("loop");
            symlink("loop", &looped).unwrap();
            assert!(tried(&looped).unwrap_err().contains("symbolic links"));
        }
        for device in ["/dev/null", "/dev/full"] {
            assert_eq!(tried(Path::new(device)), Ok(()));
        }
    }

    #[test]
    fn nothing_that_somebody_else_has_put_there_is_written_to() {
        if !rustix::process::geteuid().is_root() {
            // Only root can create another user's files; the rule itself has no exception.
            assert!(!is_trusted(1) && is_trusted(0));
            return;
        }
        let directory = directory(0o1777);
        let [link, file, victim, fifo] =
            ["link", "file", "victim", "fifo"].map(|name| directory.path().join(name));
        write(&victim, b"precious").unwrap();
        symlink(&victim, &link).unwrap();
        lchown(&link, STRANGER, None).unwrap();
        assert_eq!(
            tried(&link).unwrap_err(),
            "a symbolic link of user 65534, which is not followed"
        );
        write(&file, b"").unwrap();
        chown(&file, STRANGER, None).unwrap();
        let why = "belongs to user 65534, in a directory that everyone can write to";
        assert_eq!(tried(&file).unwrap_err(), why);
        std::fs::remove_file(&file).unwrap();
        std::fs::hard_link(&victim, &file).unwrap();
        let why = "has a second name, in a directory that everyone can write to";
        assert_eq!(tried(&file).unwrap_err(), why);
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, FileType::Fifo, Mode::RWXU, 0).unwrap();
        // Nothing reads it, and it does not block us.
        assert!(tried(&fifo).unwrap_err().starts_with("No such device"));
        assert_eq!(std::fs::read(victim).unwrap(), b"precious");
    }
}
