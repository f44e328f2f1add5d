//! A password that is never printed by mistake.

use crate::cli::exit::Exit;
use crate::cli::failure::{Cause, Failure};
use crate::cli::standard_streams;
use std::fmt;
use std::os::unix::fs::MetadataExt;
use zeroize::Zeroizing;

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
/// It cannot be read, is not UTF-8, contains a NUL, or is empty (78).
pub fn read_file(path: &str) -> Result<Secret, Failure> {
    let problem = |why: &dyn fmt::Display| {
        Failure::new(Exit::Config, format!("read the password from {path}: {why}"))
    };
    standard_streams::named(path)?;
    let text = Zeroizing::new(std::fs::read(path).map_err(|error| problem(&Cause(&error)))?);
    let text = std::str::from_utf8(&text).map_err(|_| problem(&"it is not UTF-8"))?;
    match without_mark(text).lines().next() {
        Some(line) if line.contains('\0') => Err(problem(&"a password cannot have a NUL in it")),
        Some(line) if !line.is_empty() => Ok(Secret::new(line)),
        _ => Err(problem(&"its first line is empty")),
    }
}

/// A password, or the file that contains it, which is read at each login, so that a long-running
/// process uses a changed password.
#[derive(Clone, Debug)]
pub enum Password {
    /// A password.
    Known(Secret),
    /// The contents of a file.
    InFile(String),
}

impl Password {
    /// The password in the file `path`. If it is not a regular file, but for example a pipe, it is
    /// read only once.
    ///
    /// # Errors
    /// As [`read_file`].
    pub fn in_file(path: &str) -> Result<Self, Failure> {
        let password = read_file(path)?;
        let is_file = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
        Ok(if is_file { Password::InFile(path.to_owned()) } else { Password::Known(password) })
    }

    /// The current password.
    ///
    /// # Errors
    /// As [`read_file`].
    pub fn read(&self) -> Result<Secret, Failure> {
        match self {
            Password::Known(password) => Ok(password.clone()),
            Password::InFile(path) => read_file(path),
        }
    }
}

/// A notice about a file with a secret, called `what`, that others can read; `None` if they cannot.
/// If another user owns the file, its group may read it: that is how we do.
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
    fn a_password_in_a_file_is_read_anew_and_one_from_a_pipe_is_kept() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        std::fs::write(path, "old\n").unwrap();
        let password = Password::in_file(path).unwrap();
        assert_eq!(password.read(), Ok(Secret::new("old")));
        std::fs::write(path, "new\n").unwrap();
        assert_eq!(password.read(), Ok(Secret::new("new")));
        std::fs::write(path, "").unwrap();
        assert!(password.read().is_err());
        let (reader, mut writer) = std::io::pipe().unwrap();
        std::io::Write::write_all(&mut writer, b"once\n").unwrap();
        drop(writer);
        let descriptor = std::os::fd::AsRawFd::as_raw_fd(&reader);
        let password = Password::in_file(&format!("/proc/self/fd/{descriptor}")).unwrap();
        assert_eq!(password.read(), Ok(Secret::new("once")));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_password_and_a_nul_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        std::fs::write(path, "\u{feff}hunter2\r\n").unwrap();
        assert_eq!(read_file(path), Ok(Secret::new("hunter2")));
        for wrong in ["a\0b\n", "\u{feff}\n"] {
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
