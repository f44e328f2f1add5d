//! Files that only their owner can read.

use rmq_common::failure::Failure;
use rmq_common::files;
use rustix::fs::{FileType, Mode, OFlags};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Writes to the file `name`, which only its owner can then read. An existing file is replaced as a
/// whole: a process that already has it open sees nothing new, and a full disk leaves it as it was.
///
/// It cannot be written, or another user has put it into a directory such as `/tmp` (74).
/// It cannot be written, or another user has put it into a directory such as `/tmp` (74).
pub fn write_private(name: &str, bytes: &[u8]) -> Result<(), Failure> {
    write(Path::new(name), bytes).map_err(|error| Failure::io(format!("write {name}"), &error))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mode = Mode::RUSR | Mode::WUSR;
    let file = files::open(path, OFlags::WRONLY | OFlags::CREATE, mode)?;
    files::wait(&file)?;
    let is_file =
        FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) == FileType::RegularFile;
    let mut file = File::from(file);
    if is_file && !files::is_descriptor(path) {
        rustix::fs::fchmod(&file, mode)?;
        if files::replace(path, &file, bytes)?.is_some() {
            return Ok(());
        }
        file.set_len(0)?;
    }
    file.write_all(bytes)?;
    file.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, metadata, read, read_dir, set_permissions};
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_had_the_file_open_when_others_could_read_it_sees_none_of_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("dump.csv");
        std::fs::write(&path, "old").unwrap();
        set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let mut before = File::open(&path).unwrap();
        write(&path, b"secret").unwrap();
        let mut seen = String::new();
        before.read_to_string(&mut seen).unwrap();
        assert_eq!((&*seen, &*read(&path).unwrap()), ("old", &b"secret"[..]));
        assert_eq!(metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_device_is_written_to_as_it_is() {
        write(Path::new("/dev/null"), b"secret").unwrap();
        assert!(write_private("/dev/full", b"secret").is_err());
    }
}
