//! A password that is never printed by mistake.

use crate::cli::exit::Exit;
use crate::cli::failure::{Cause, Failure};
use crate::cli::standard_streams;
use rustix::fs::OFlags;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use zeroize::Zeroizing;

/// In bytes: no login carries more. The first frames of a connection hold at most 8192 bytes.
const LONGEST: usize = 8192;

/// A secret text. Its `Debug` form, and with it every error and log line, is `***`. Its memory is
/// wiped when it is dropped (lapin's own copy, kept while it connects, is not).
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(Zeroizing::new(text.into()))
    }

    /// The text itself, for the code that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The text without the byte order mark that Windows editors put before UTF-8.
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Reads a password from the file `path`: its first line, without the line end.
///
/// # Errors
/// It cannot be read, or its first line is not UTF-8, contains a NUL, is empty or too long (78).
pub fn read_file(path: &str) -> Result<Secret, Failure> {
    read_once(path).map(|(secret, _)| secret)
}

/// The same, and whether it is a regular file, which can be read again.
///
/// # Errors
/// As [`read_file`].
pub(crate) fn read_once(path: &str) -> Result<(Secret, bool), Failure> {
    read(path, OFlags::empty())
}

/// Reads a regular file as [`read_file`] does. Nothing else, such as a FIFO, can block us.
///
/// # Errors
/// As [`read_file`]; it is not a regular file (78).
pub(crate) fn read_again(path: &str) -> Result<Secret, Failure> {
    match read(path, OFlags::NONBLOCK | OFlags::NOCTTY)? {
        (secret, true) => Ok(secret),
        (_, false) => Err(problem(path, &"it is not a regular file")),
    }
}

fn read(path: &str, flags: OFlags) -> Result<(Secret, bool), Failure> {
    let unreadable = |error| problem(path, &Cause(&error));
    standard_streams::named(path)?;
    let flags = flags.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path).map_err(unreadable)?;
    let is_regular = file.metadata().map_err(unreadable)?.is_file();
    // With this capacity it is never moved, which would leave a copy.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 64));
    let limit = u64::try_from(LONGEST + 1).unwrap_or(u64::MAX);
    file.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if line.len() > LONGEST {
        return Err(problem(path, &format!("its first line is longer than {LONGEST} bytes")));
    }
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = std::str::from_utf8(line).map_err(|_| problem(path, &"it is not UTF-8"))?;
    match without_mark(line) {
        "" => Err(problem(path, &"its first line is empty")),
        line if line.contains('\0') => Err(problem(path, &"a password cannot have a NUL in it")),
        line => Ok((Secret::new(line), is_regular)),
    }
}

fn problem(path: &str, why: &dyn fmt::Display) -> Failure {
    Failure::new(Exit::Config, format!("read the password from {path}: {why}"))
}

/// A notice about a file with a secret, called `what`, that others can read; `None` if they cannot.
/// If another user owns the file, its group may read it: that is how we read it ourselves.
pub fn exposed(what: &str, path: &str) -> Option<String> {
    let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let is_ours = metadata.uid() == rustix::process::geteuid().as_raw();
    let others = if is_ours { 0o077 } else { 0o007 };
    (metadata.mode() & others != 0)
        .then(|| format!("{what} {path}: others can read it; fix that with: chmod 600 {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_password_and_a_nul_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        std::fs::write(path, "\u{feff}hunter2\r\n").unwrap();
        assert_eq!(read_file(path), Ok(Secret::new("hunter2")));
        let long = "x".repeat(LONGEST);
        std::fs::write(path, &long).unwrap();
        assert_eq!(read_file(path), Ok(Secret::new(long.as_str())));
        for wrong in ["a\0b\n", "\u{feff}\n", &(long + "x")] {
            std::fs::write(path, wrong).unwrap();
            assert_eq!(read_file(path).unwrap_err().exit().status(), 78);
        }
    }

    #[test]
    fn a_secret_file_that_others_can_read_is_told_with_the_chmod_that_fixes_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        for (mode, is_told) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true)] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
            let told = exposed("the key", path);
            assert_eq!(told.is_some(), is_told, "{mode:o}");
            assert!(told.is_none_or(|told| told.ends_with(&format!("chmod 600 {path}"))));
        }
        assert_eq!(exposed("the key", "/dev/null"), None);
        assert_eq!(exposed("the key", "/nowhere"), None);
    }

    #[test]
    fn a_secret_is_never_shown() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "***");
    }
}
