//! A password to log in with, which is read again at each login.

use crate::cli::diagnostics::Diagnostics;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::profiles::{self, Profile};
use crate::cli::secret::{self, Secret};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a notice calls a file with a password.
pub const FILE: &str = "the password file";

/// The password of a login. A long-running process uses a changed one at its next login. Clones
/// share what was read and what was reported.
#[derive(Clone)]
pub struct Password(Arc<Mutex<State>>);

struct State {
    source: Source,
    /// The password that was read last.
    last: Secret,
    /// Whether the broker has refused it.
    is_refused: bool,
    /// Whether the broker has accepted one in this run.
    was_accepted: bool,
    /// Whether it was reported that the source cannot be read.
    is_reported: bool,
    /// Whether others could read the file when it was last read.
    is_exposed: bool,
}

enum Source {
    /// It can be read only once: a URL, a pipe.
    Once,
    /// A file.
    File(String),
    /// The profile of this name, and where in it the password is.
    Profile(String, fn(&Profile) -> Option<Secret>),
}

/// What the source holds after a login was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Now {
    /// The password that was refused.
    Same,
    /// Another one.
    Another,
    /// Nothing that can be read, although a login has succeeded before: it may be about to be
    /// written.
    Unreadable(Failure),
}

impl Password {
    /// A password that does not change.
    pub fn known(password: Secret) -> Self {
        Self::new(Source::Once, password)
    }

    /// The password in the file `path`. If that is not a regular file, but for example a pipe, it is
    /// read only once.
    ///
    /// # Errors
    /// As [`secret::read_file`].
    pub fn in_file(path: &str, diagnostics: Diagnostics) -> Result<Self, Failure> {
        diagnostics.trace(&format!("reading the password from {path}"));
        let (password, is_regular) = secret::read_once(path)?;
        let source = if is_regular { Source::File(path.to_owned()) } else { Source::Once };
        let password = Self::new(source, password);
        password.state().check_exposed(diagnostics);
        Ok(password)
    }

    /// The password that `find` has found in the profile `name`.
    pub fn in_profile(name: &str, password: Secret, find: fn(&Profile) -> Option<Secret>) -> Self {
        Self::new(Source::Profile(name.to_owned(), find), password)
    }

    fn new(source: Source, last: Secret) -> Self {
        Password(Arc::new(Mutex::new(State {
            source,
            last,
            is_refused: false,
            was_accepted: false,
            is_reported: false,
            is_exposed: false,
        })))
    }

    /// The password for this login. If it cannot be read now, it is the one that was read before,
    /// and a notice says so once.
    ///
    /// # Errors
    /// It cannot be read, and the broker has refused the one that was read before (78).
    pub fn for_login(&self, diagnostics: Diagnostics) -> Result<Secret, Failure> {
        let mut state = self.state();
        match state.read() {
            Ok(password) => {
                state.check_exposed(diagnostics);
                state.is_reported = false;
                if password != state.last {
                    state.is_refused = false;
                    state.last = password;
                    diagnostics.trace(&format!("{} has another password now", state.name()));
                }
            }
            Err(failure) if state.is_refused => return Err(failure),
            Err(failure) => {
                if !std::mem::replace(&mut state.is_reported, true) {
                    let text = "logging in with the password that was read before";
                    diagnostics.notice(&format!("{failure}; {text}"));
                }
            }
        }
        Ok(state.last.clone())
    }

    /// Records that a login has succeeded.
    pub fn accepted(&self) {
        let mut state = self.state();
        state.is_refused = false;
        state.was_accepted = true;
    }

    /// Records that a login with the password `used` was refused.
    pub fn refused(&self, used: &Secret) -> Now {
        let mut state = self.state();
        state.is_refused |= *used == state.last;
        match state.read() {
            Ok(password) if password == *used => Now::Same,
            Ok(_) => Now::Another,
            Err(failure) if state.was_accepted => Now::Unreadable(failure),
            Err(_) => Now::Same,
        }
    }

    /// Whether it may be another one later.
    pub(crate) fn can_change(&self) -> bool {
        !matches!(self.state().source, Source::Once)
    }

    /// The password now, if it can be read and is not `used`.
    pub(crate) fn other_than(&self, used: &Secret) -> Option<Secret> {
        self.state().read().ok().filter(|password| password != used)
    }

    /// Whether the password that was read last is `text`.
    pub fn is(&self, text: &str) -> bool {
        self.state().last.reveal() == text
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No holder of the lock can leave the state inconsistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Where it is read from, for a diagnostic.
    fn name(&self) -> String {
        match &self.source {
            Source::Once => "the pipe".to_owned(),
            Source::File(path) => path.clone(),
            Source::Profile(name, _) => format!("profile {name}"),
        }
    }

    fn read(&self) -> Result<Secret, Failure> {
        match &self.source {
            Source::Once => Ok(self.last.clone()),
            Source::File(path) => secret::read_again(path),
            Source::Profile(name, find) => {
                let profile = profiles::load(name)?;
                find(&profile).ok_or_else(|| {
                    Failure::new(Exit::Config, format!("{}: it has no password", profile.source))
                })
            }
        }
    }

    fn check_exposed(&mut self, diagnostics: Diagnostics) {
        let Source::File(path) = &self.source else { return };
        let exposed = secret::exposed(FILE, path);
        let was_exposed = std::mem::replace(&mut self.is_exposed, exposed.is_some());
        if let Some(exposed) = exposed.filter(|_| !was_exposed) {
            diagnostics.notice(&exposed);
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests;
