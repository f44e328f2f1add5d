//! The positions file itself: locked by this run, and replaced as a whole.

use crate::follow::entry::{self, Entry};
use crate::spool::disk::sync_parent;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::files;
use rustix::fs::{FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Added to the file's name while its next content is written.
const NEXT: &str = ".new";
/// A new file's mode, before the umask.
const MODE: u32 = 0o644;
/// The size limit: no positions file is larger.
const MOST_BYTES: u64 = 64 << 20;

/// The positions file, locked.
#[derive(Debug)]
pub struct Store {
    /// The name as it was given.
    name: String,
    path: PathBuf,
    /// The file, or what will be renamed to it, whose lock is the run's.
    file: File,
    /// It does not have its final name yet.
    is_new: bool,
    mode: Mode,
}

/// What the positions file held when it was opened.
#[derive(Debug)]
pub enum Found {
    /// There was none.
    Nothing,
    /// It was empty, as after a crash of the machine: what was in it is not known.
    Empty,
    /// These.
    Entries(Vec<Entry>),
}

impl Store {
    /// Opens the positions file `name` for this run only.
    ///
    /// # Errors
    /// Another run has it (75), it is damaged or another kind of file (65), or unusable (74).
    pub fn open(name: &str) -> Result<(Self, Found), Failure> {
        let problem = |error: &io::Error| Failure::io(format!("positions {name}"), error);
        let path = resolved(Path::new(name)).map_err(|error| problem(&error))?;
        loop {
            let (file, found) = match open(&path, OFlags::RDWR) {
                Ok(file) => (file, true),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    // Its content is replaced, so a link must not lead to another file.
                    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW;
                    let opened = open(&next(&path), flags);
                    let about = format!("positions {name}{NEXT}");
                    (opened.map_err(|error| Failure::io(about, &error))?, false)
                }
                Err(error) => return Err(problem(&error)),
            };
            let status = rustix::fs::fstat(&file).map_err(|error| problem(&error.into()))?;
            let is_linked = !found && status.st_nlink > 1;
            if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile || is_linked {
                let (end, why) = match (found, is_linked) {
                    (true, _) => ("", "not a regular file"),
                    (false, true) => (NEXT, "has a second name"),
                    (false, false) => (NEXT, "not a regular file"),
                };
                return Err(Failure::usage(format!("positions {name}{end}: {why}")));
            }
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => {
                    let text = format!("positions {name}: in use by another rmq-send");
                    return Err(Failure::new(Exit::TempFail, text));
                }
                Err(error) => return Err(problem(&error.into())),
            }
            // The previous owner may have replaced it before this run got the lock.
            let is_ours = if found { is_still(&path, &status) } else { is_next(&path, &status) };
            if !is_ours {
                continue;
            }
            let mode = Mode::from_raw_mode(status.st_mode & 0o777);
            let name = name.to_owned();
            let mut store = Store { name, path, file, is_new: !found, mode };
            let found = if found { store.read()? } else { Found::Nothing };
            return Ok((store, found));
        }
    }

    /// Its name, as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file itself.
    pub fn file(&self) -> &File {
        &self.file
    }

    fn read(&mut self) -> Result<Found, Failure> {
        let name = &self.name;
        let mut text = Vec::new();
        let read = (&self.file).take(MOST_BYTES).read_to_end(&mut text);
        read.map_err(|error| Failure::io(format!("read positions {name}"), &error))?;
        if text.is_empty() {
            return Ok(Found::Empty);
        }
        let entries = entry::decode(&text).map_err(|why| {
            Failure::data(format!(
                "positions {name}: {why} (move it away to send the files from their beginning)"
            ))
        })?;
        Ok(Found::Entries(entries))
    }

    /// Replaces its content: after a crash, either the old or the new content exists.
    ///
    /// # Errors
    /// The old content is still there.
    pub fn save(&mut self, entries: &[Entry]) -> io::Result<()> {
        let next = next(&self.path);
        if self.is_new {
            // Any other process that finds no file waits for the lock on this one.
            self.file.set_len(0)?;
            self.file.rewind()?;
            self.fill(&self.file, entries)?;
            std::fs::rename(&next, &self.path)?;
            self.is_new = false;
            return sync_parent(&self.path);
        }
        match std::fs::remove_file(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = open(&next, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL)?;
        let written = self.fill(&file, entries).and_then(|()| std::fs::rename(&next, &self.path));
        if let Err(error) = written {
            // A half-written file is of no use, and takes room on a full disk.
            let _ = std::fs::remove_file(&next);
            return Err(error);
        }
        self.file = file;
        sync_parent(&self.path)
    }

    fn fill(&self, mut file: &File, entries: &[Entry]) -> io::Result<()> {
        rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive)?;
        rustix::fs::fchmod(file, self.mode)?;
        file.write_all(entry::encode(entries).as_bytes())?;
        file.sync_all()
    }
}

/// The file that a symbolic link leads to, so that the link itself is not replaced.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    match std::fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path.to_owned()),
        resolved => resolved,
    }
}

fn next(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(NEXT);
    name.into()
}

fn open(path: &Path, flags: OFlags) -> io::Result<File> {
    files::open(path, flags, Mode::from_raw_mode(MODE)).map(File::from)
}

fn is_still(path: &Path, status: &Stat) -> bool {
    rustix::fs::stat(path).is_ok_and(|now| files::is_same(&now, status))
}

/// Whether no other run has created the file meanwhile, and the opened file is its next content.
fn is_next(path: &Path, status: &Stat) -> bool {
    rustix::fs::stat(path).is_err_and(|error| error == Errno::NOENT)
        && is_still(&next(path), status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::fingerprint::Fingerprint;
    use crate::follow::identity::Identity;
    use std::os::unix::fs::PermissionsExt;

    fn entry(offset: u64) -> Entry {
        Entry {
            path: "/var/log/a.log".to_owned(),
            identity: Identity { device: 1, inode: 2 },
            offset,
            fingerprint: Fingerprint::default(),
            size: offset,
            modified: 3,
            is_done: false,
        }
    }

    fn opened(path: &Path) -> (Store, Found) {
        Store::open(path.to_str().unwrap()).unwrap()
    }

    #[test]
    fn what_was_saved_is_found_and_the_lock_goes_on_to_each_new_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("positions");
        let (mut store, found) = opened(&path);
        assert!(matches!(found, Found::Nothing));
        let in_use = |path: &Path| {
            let failure = Store::open(path.to_str().unwrap()).unwrap_err();
            assert_eq!(failure.exit().status(), 75, "{failure}");
        };
        in_use(&path);
        for offset in [1, 2, 3] {
            store.save(&[entry(offset)]).unwrap();
            in_use(&path);
        }
        drop(store);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        let (mut store, found) = opened(&path);
        assert!(matches!(found, Found::Entries(entries) if entries == [entry(3)]));
        store.save(&[]).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_stays_and_what_it_names_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let [path, link] = ["positions", "link"].map(|name| directory.path().join(name));
        opened(&path).0.save(&[entry(1)]).unwrap();
        std::os::unix::fs::symlink("positions", &link).unwrap();
        opened(&link).0.save(&[entry(2)]).unwrap();
        assert!(link.is_symlink());
        assert!(matches!(opened(&path).1, Found::Entries(entries) if entries == [entry(2)]));
    }

    #[test]
    fn a_damaged_file_is_refused_and_an_empty_one_is_told_from_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("positions");
        std::fs::write(&path, "").unwrap();
        assert!(matches!(opened(&path).1, Found::Empty));
        std::fs::write(&path, "{\"rmq-send").unwrap();
        let failure = Store::open(path.to_str().unwrap()).unwrap_err();
        assert_eq!(failure.exit().status(), 65);
        assert!(failure.to_string().contains("move it away"), "{failure}");
        let failure = Store::open("/dev/null").unwrap_err();
        assert_eq!(failure.exit().status(), 64, "{failure}");
    }

    #[test]
    fn a_link_in_the_place_of_the_next_content_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let [path, victim] = ["positions", "victim"].map(|name| directory.path().join(name));
        std::fs::write(&victim, "precious").unwrap();
        let refused = |status: u8| {
            let failure = Store::open(path.to_str().unwrap()).unwrap_err();
            assert_eq!(failure.exit().status(), status, "{failure}");
            assert!(failure.to_string().contains("positions.new"), "{failure}");
        };
        std::os::unix::fs::symlink(&victim, next(&path)).unwrap();
        refused(74);
        std::fs::remove_file(next(&path)).unwrap();
        std::fs::hard_link(&victim, next(&path)).unwrap();
        refused(64);
        std::fs::remove_file(next(&path)).unwrap();
        std::fs::create_dir(next(&path)).unwrap();
        refused(74);
        assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
    }

    #[test]
    fn what_a_killed_run_was_writing_is_no_obstacle() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("positions");
        std::fs::write(next(&path), "half of").unwrap();
        opened(&path).0.save(&[entry(1)]).unwrap();
        std::fs::write(next(&path), "half of").unwrap();
        let (mut store, found) = opened(&path);
        assert!(matches!(found, Found::Entries(entries) if entries == [entry(1)]));
        store.save(&[entry(2)]).unwrap();
    }
}
