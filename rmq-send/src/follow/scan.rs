//! The files beside a followed one that may be earlier or later generations of it.

use crate::follow::identity::{self, Identity};
use crate::input::sources::open;
use rmq_common::files::parent;
use rustix::fs::{FileType, Stat};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How names of compressed files end.
const COMPRESSED: [&str; 6] = [".gz", ".xz", ".zst", ".bz2", ".lz4", ".Z"];
/// The most digits of a rotation number; more make a date.
const NUMBER: usize = 4;
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
    /// It is compressed, so none of it can be sent.
    pub is_compressed: bool,
}

impl Sibling {
    /// Whether this is a gzip(1) file whose original had this many bytes, modulo 2^32.
    pub fn is_packed(&self, bytes: u64) -> bool {
        let packed = size_before_gzip(&self.path).map(u64::from);
        packed == Some(bytes & u64::from(u32::MAX))
    }
}

/// Files were renamed while they were listed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved;

/// How often a scan that nothing else repeats is restarted for that reason.
const ATTEMPTS: u32 = 200;
/// The pause before that.
const PAUSE: Duration = Duration::from_millis(5);

/// What `look` finds once no file is renamed meanwhile; nothing if that never happens.
pub fn patiently<T>(mut look: impl FnMut() -> Result<T, Moved>) -> Option<T> {
    for _ in 0..ATTEMPTS {
        if let Ok(found) = look() {
            return Some(found);
        }
        std::thread::sleep(PAUSE);
    }
    None
}

/// The siblings of the file at `path`, sorted by time: `app.log.1`, `app.log-20261128` and
/// `app-20261128.log` are siblings of `app.log`. A directory that cannot be read has none.
///
/// # Errors
/// The directory does not exist, or two listings differ: a file that is renamed meanwhile may be
/// listed twice or not at all (readdir(3)).
pub fn siblings(path: &Path) -> Result<Vec<Sibling>, Moved> {
    let place = |sibling: &Sibling| (sibling.path.clone(), sibling.identity);
    let [first, second] = [list(path)?, list(path)?];
    let places = |siblings: &[Sibling]| siblings.iter().map(place).collect::<BTreeSet<_>>();
    if places(&first) == places(&second) { Ok(second) } else { Err(Moved) }
}

fn list(path: &Path) -> Result<Vec<Sibling>, Moved> {
    let (Some(name), directory) = (path.file_name(), parent(path)) else { return Ok(Vec::new()) };
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        // It may return with everything in it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Moved),
        Err(_) => return Ok(Vec::new()),
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    let rotated = names.filter_map(|other| {
        let Rotated { is_compressed, number } = rotated(name.as_bytes(), other.as_bytes())?;
        let path = directory.join(&other);
        let status = rustix::fs::lstat(&path).ok()?;
        let is_file = FileType::from_raw_mode(status.st_mode) == FileType::RegularFile;
        let sibling = Sibling {
            path,
            identity: Identity::of(&status),
            modified: identity::modified(&status),
            size: identity::size(&status),
            is_compressed,
        };
        is_file.then_some((Reverse(number), sibling))
    });
    let mut numbered: Vec<_> = rotated.collect();
    // Among files changed in the same tick of the clock, a higher number is older.
    numbered.sort_by(|(number, one), (other_number, other)| {
        (one.modified, number, &one.path).cmp(&(other.modified, other_number, &other.path))
    });
    let mut siblings: Vec<Sibling> = numbered.into_iter().map(|(_, sibling)| sibling).collect();
    // The original of a file that is being compressed can still be read.
    let plain: BTreeSet<PathBuf> = siblings.iter().map(|sibling| sibling.path.clone()).collect();
    siblings.retain(|sibling| {
        !sibling.is_compressed || !plain.contains(&sibling.path.with_extension(""))
    });
    Ok(siblings)
}

/// What a name says about a rotated file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rotated {
    is_compressed: bool,
    /// How often it was rotated, if the name has a number and not a date.
    number: Option<u32>,
}

/// What `other` says if rotation derived it from `name`.
fn rotated(name: &[u8], other: &[u8]) -> Option<Rotated> {
    // logrotate's `extension` keeps this part at the end.
    let dot = name.iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0);
    // This rules out most names of a large directory.
    if !other.starts_with(&name[..dot.unwrap_or(name.len())]) {
        return None;
    }
    let compressed = COMPRESSED.iter().find_map(|end| other.strip_suffix(end.as_bytes()));
    let plain = compressed.unwrap_or(other);
    let added = |added: &[u8]| match added.split_first() {
        Some((b'.' | b'-' | b'_', rest)) => {
            let is_rotated = rest.first().is_some_and(u8::is_ascii_digit)
                || WORDS.iter().any(|word| rest == word.as_bytes());
            let number = str::from_utf8(rest).ok().filter(|rest| rest.len() <= NUMBER);
            is_rotated.then(|| number.and_then(|number| number.parse().ok()))
        }
        _ => None,
    };
    let within = dot.and_then(|dot| {
        let (stem, extension) = name.split_at(dot);
        plain.strip_prefix(stem)?.strip_suffix(extension)
    });
    let behind = plain.strip_prefix(name);
    let number = [behind, within].into_iter().flatten().find_map(added)?;
    (plain != name).then_some(Rotated { is_compressed: compressed.is_some(), number })
}

/// Opens a followed file, which must be a regular file.
///
/// # Errors
/// As the operating system says.
pub fn open_regular(path: &Path) -> io::Result<(File, Stat)> {
    // Checked first, because opening some devices has side effects.
    regular(rustix::fs::stat(path)?)?;
    let file = open(path)?;
    let status = regular(rustix::fs::fstat(&file)?)?;
    Ok((file, status))
}

/// Passes on the status of a regular file.
///
/// # Errors
/// It is another kind of file.
pub fn regular(status: Stat) -> io::Result<Stat> {
    match FileType::from_raw_mode(status.st_mode) {
        FileType::RegularFile => Ok(status),
        FileType::Directory => Err(io::Error::from(rustix::io::Errno::ISDIR)),
        _ => Err(io::Error::other("not a regular file")),
    }
}

/// Opens the file that `sibling` describes; the inner error: its name is now another file's.
///
/// # Errors
/// As the operating system says.
pub fn open_same(sibling: &Sibling) -> io::Result<Result<File, Moved>> {
    let file = match open(&sibling.path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Err(Moved)),
        Err(error) => return Err(error),
    };
    let is_same = Identity::of(&rustix::fs::fstat(&file)?) == sibling.identity;
    Ok(if is_same { Ok(file) } else { Err(Moved) })
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
        let is_compressed = |name: &str, other: &str| {
            rotated(name.as_bytes(), other.as_bytes()).map(|rotated| rotated.is_compressed)
        };
        for other in ["app.log.1", "app.log-20261128", "app.log.2026-11-28T10:00", "app.log.old"] {
            assert_eq!(is_compressed("app.log", other), Some(false), "{other}");
        }
        for other in ["app-20261128.log", "app.1.log", "app_2.log"] {
            assert_eq!(is_compressed("app.log", other), Some(false), "{other}");
        }
        for other in ["app.log.2.gz", "app.log-20261128.xz", "app-20261128.log.zst"] {
            assert_eq!(is_compressed("app.log", other), Some(true), "{other}");
        }
        for other in ["app.log", "app.log.gz", "app.logs", "app.log.swp", "other.log.1", "app.log."]
        {
            assert_eq!(is_compressed("app.log", other), None, "{other}");
        }
        assert_eq!(is_compressed("messages", "messages.1"), Some(false));
    }

    #[test]
    fn of_files_of_the_same_time_the_higher_number_comes_first() {
        let directory = tempfile::tempdir().unwrap();
        let now = std::time::SystemTime::now();
        for name in ["9", "10", "2", "1"] {
            let file = File::create(directory.path().join(format!("app.log.{name}"))).unwrap();
            file.set_modified(now).unwrap();
        }
        let siblings = siblings(&directory.path().join("app.log")).unwrap();
        let ends = siblings.iter().map(|sibling| sibling.path.extension().unwrap());
        assert_eq!(ends.collect::<Vec<_>>(), ["10", "9", "2", "1"]);
    }

    #[test]
    fn siblings_come_in_the_order_of_their_last_change() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.log");
        for (name, age) in [("app.log", 0), ("app.log.1", 10), ("app.log.2", 20), ("b.log.1", 5)] {
            let file = File::create(directory.path().join(name)).unwrap();
            let now = std::time::SystemTime::now();
            file.set_modified(now - Duration::from_secs(age)).unwrap();
        }
        std::fs::create_dir(directory.path().join("app.log.3")).unwrap();
        let names: Vec<_> = siblings(&path)
            .unwrap()
            .into_iter()
            .map(|sibling| sibling.path.file_name().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["app.log.2", "app.log.1"]);
    }

    #[test]
    fn a_file_that_is_being_compressed_can_still_be_read() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["app.log.1", "app.log.1.gz", "app.log.2.gz"] {
            File::create(directory.path().join(name)).unwrap();
        }
        let compressed = |sibling: &Sibling| sibling.is_compressed;
        let siblings = siblings(&directory.path().join("app.log")).unwrap();
        let mut found: Vec<bool> = siblings.iter().map(compressed).collect();
        found.sort_unstable();
        assert_eq!(found, [false, true]);
    }

    #[test]
    fn a_name_that_is_another_file_by_now_is_not_opened() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("app.log.1"), "first").unwrap();
        let siblings = siblings(&at("app.log")).unwrap();
        assert!(open_same(&siblings[0]).unwrap().is_ok());
        std::fs::rename(at("app.log.1"), at("app.log.2")).unwrap();
        assert_eq!(open_same(&siblings[0]).unwrap().unwrap_err(), Moved);
        std::fs::write(at("app.log.1"), "second").unwrap();
        assert_eq!(open_same(&siblings[0]).unwrap().unwrap_err(), Moved);
    }
}
