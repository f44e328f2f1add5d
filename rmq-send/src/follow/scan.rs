//! The files beside a followed one that may be earlier or later generations of it.

use crate::follow::identity::{self, Identity};
use rustix::fs::{FileType, Mode, OFlags};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How names of compressed files end.
const COMPRESSED: [&str; 6] = [".gz", ".xz", ".zst", ".bz2", ".lz4", ".Z"];
/// What rotation adds to a name besides numbers and dates.
const WORDS: [&str; 4] = ["old", "bak", "prev", "save"];

/// A file beside a followed one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sibling {
    /// Where it is.
    pub path: PathBuf,
    /// Which file it is.
    pub identity: Identity,
    /// When it was changed last, in nanoseconds since 1970.
    pub modified: i64,
    /// Its size in bytes.
    pub size: u64,
    /// It is compressed, so that nothing of it can be sent.
    pub is_compressed: bool,
}

/// The siblings of the file at `path`, by their time: `app.log.1`, `app.log-20261128` and
/// `app-20261128.log` are some of `app.log`. A directory that cannot be read has none.
pub fn siblings(path: &Path) -> Vec<Sibling> {
    let (Some(name), directory) = (path.file_name(), parent(path)) else { return Vec::new() };
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let names = entries.flatten().map(|entry| entry.file_name());
    let rotated = names.filter_map(|other| {
        let is_compressed = is_rotated(name.as_bytes(), other.as_bytes())?;
        let path = directory.join(&other);
        let status = rustix::fs::lstat(&path).ok()?;
        let is_file = FileType::from_raw_mode(status.st_mode) == FileType::RegularFile;
        is_file.then(|| Sibling {
            path,
            identity: Identity::of(&status),
            modified: identity::modified(&status),
            size: identity::size(&status),
            is_compressed,
        })
    });
    let mut siblings: Vec<Sibling> = rotated.collect();
    siblings.sort_by(|one, other| (one.modified, &one.path).cmp(&(other.modified, &other.path)));
    siblings
}

/// The directory a file is in.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Whether `other` is what rotation makes of `name`, and then whether it is compressed.
fn is_rotated(name: &[u8], other: &[u8]) -> Option<bool> {
    let compressed = COMPRESSED.iter().find_map(|end| other.strip_suffix(end.as_bytes()));
    let plain = compressed.unwrap_or(other);
    let is_added = |added: &[u8]| match added.split_first() {
        Some((b'.' | b'-' | b'_', rest)) => {
            rest.first().is_some_and(u8::is_ascii_digit)
                || WORDS.iter().any(|word| rest == word.as_bytes())
        }
        _ => false,
    };
    // As logrotate's `extension` keeps it at the end.
    let dot = name.iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0);
    let within = dot.and_then(|dot| {
        let (stem, extension) = name.split_at(dot);
        plain.strip_prefix(stem)?.strip_suffix(extension)
    });
    let behind = plain.strip_prefix(name);
    let is_rotated = [behind, within].into_iter().flatten().any(is_added);
    (is_rotated && plain != name).then_some(compressed.is_some())
}

/// Opens a file to read.
///
/// # Errors
/// As the operating system says.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

/// The size that a file compressed by gzip(1) had, modulo 2^32 (RFC 1952, section 2.3.1: ISIZE).
pub fn size_before_gzip(path: &Path) -> Option<u32> {
    if path.extension()? != "gz" {
        return None;
    }
    let mut file = open(path).ok()?;
    file.seek(SeekFrom::End(-4)).ok()?;
    let mut size = [0; 4];
    file.read_exact(&mut size).ok()?;
    Some(u32::from_le_bytes(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_rotation_makes_are_recognised() {
        let rotated = |name: &str, other: &str| is_rotated(name.as_bytes(), other.as_bytes());
        for other in ["app.log.1", "app.log-20261128", "app.log.2026-11-28T10:00", "app.log.old"] {
            assert_eq!(rotated("app.log", other), Some(false), "{other}");
        }
        for other in ["app-20261128.log", "app.1.log", "app_2.log"] {
            assert_eq!(rotated("app.log", other), Some(false), "{other}");
        }
        for other in ["app.log.2.gz", "app.log-20261128.xz", "app-20261128.log.zst"] {
            assert_eq!(rotated("app.log", other), Some(true), "{other}");
        }
        for other in ["app.log", "app.log.gz", "app.logs", "app.log.swp", "other.log.1", "app.log."]
        {
            assert_eq!(rotated("app.log", other), None, "{other}");
        }
        assert_eq!(rotated("messages", "messages.1"), Some(false));
    }

    #[test]
    fn siblings_come_in_the_order_of_their_last_change() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.log");
        for (name, age) in [("app.log", 0), ("app.log.1", 10), ("app.log.2", 20), ("b.log.1", 5)] {
            let file = File::create(directory.path().join(name)).unwrap();
            let now = std::time::SystemTime::now();
            file.set_modified(now - std::time::Duration::from_secs(age)).unwrap();
        }
        std::fs::create_dir(directory.path().join("app.log.3")).unwrap();
        let names: Vec<_> = siblings(&path)
            .into_iter()
            .map(|sibling| sibling.path.file_name().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["app.log.2", "app.log.1"]);
    }
}
