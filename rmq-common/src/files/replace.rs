//! Replaces a file as a whole: a reader sees either the old content or the new.

use super::parent;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Replaces `name`, which is open as `old`, with a file with these contents, and returns it. `None`
/// if that is impossible: it is not a file of ours in a directory that we may write to, or has a
/// second name.
///
/// # Errors
/// The disk is full, or has another fault.
pub fn replace(name: &Path, old: &File, contents: &[u8]) -> io::Result<Option<File>> {
    let stat = rustix::fs::fstat(old)?;
    let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    if !is_file || stat.st_nlink > 1 || stat.st_uid != rustix::process::geteuid().as_raw() {
        return Ok(None);
    }
    // A symbolic link stays a link.
    let Ok(path) = name.canonicalize() else { return Ok(None) };
    let Some(file_name) = path.file_name() else { return Ok(None) };
    // Not the suffix that a collector looks for.
    let mut beside = file_name.to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = parent(&path).join(beside);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(stat.st_mode);
    let mut opened = rustix::fs::open(&beside, flags, mode);
    if matches!(opened, Err(Errno::EXIST)) && std::fs::remove_file(&beside).is_ok() {
        // A process with the same id was killed: in a container, all are process 1.
        opened = rustix::fs::open(&beside, flags, mode);
    }
    let mut new = match opened {
        Ok(new) => File::from(new),
        Err(Errno::ACCESS | Errno::PERM | Errno::ROFS | Errno::EXIST) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let replaced = new.write_all(contents).and_then(|()| {
        rustix::fs::fchmod(&new, mode)?;
        std::fs::rename(&beside, &path)
    });
    if replaced.is_err() {
        // If it cannot be removed either, that is not worth another error.
        let _ = std::fs::remove_file(&beside);
    }
    replaced.map(|()| Some(new))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, hard_link, read, read_dir, set_permissions, write};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    #[test]
    fn the_file_is_another_one_with_the_same_mode_and_the_link_stays() {
        let directory = tempfile::tempdir().unwrap();
        let [file, link] = ["stats", "link"].map(|name| directory.path().join(name));
        write(&file, "a long text before").unwrap();
        set_permissions(&file, Permissions::from_mode(0o604)).unwrap();
        symlink("stats", &link).unwrap();
        let old = File::options().write(true).open(&link).unwrap();
        let before = old.metadata().unwrap().ino();
        assert!(replace(&link, &old, b"new").unwrap().is_some());
        assert_eq!(read(&file).unwrap(), b"new");
        let metadata = std::fs::metadata(&file).unwrap();
        assert_ne!(metadata.ino(), before);
        assert_eq!(metadata.mode() & 0o777, 0o604);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_has_a_second_name_or_is_no_file_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let [one, two] = ["one", "two"].map(|name| directory.path().join(name));
        write(&one, "").unwrap();
        hard_link(&one, &two).unwrap();
        let old = File::options().write(true).open(&one).unwrap();
        assert!(replace(&one, &old, b"new").unwrap().is_none());
        let null = File::options().write(true).open("/dev/null").unwrap();
        assert!(replace(Path::new("/dev/null"), &null, b"new").unwrap().is_none());
    }
}
