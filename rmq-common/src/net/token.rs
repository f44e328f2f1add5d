//! An OAuth 2 token: a password that expires.
//!
//! RabbitMQ refuses requests with an expired token, or closes the connection, unless it was given
//! another one in time (connection.update-secret). Then, unacknowledged messages would come again.

use crate::cli::diagnostics::Diagnostics;
use crate::cli::password::Password;
use crate::cli::secret::Secret;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How often the source of the token is read.
pub(crate) const INTERVAL: Duration = Duration::from_secs(2);

/// Finds the token that replaces the one with which a connection began.
pub(crate) struct Token {
    source: Password,
    tokens: Mutex<Tokens>,
    diagnostics: Diagnostics,
}

struct Tokens {
    /// The token that the broker has.
    given: Secret,
    /// The token found in its place.
    found: Option<Secret>,
}

impl Token {
    /// The token that `source` held at the login; `None` if that is not one, or cannot change.
    pub(crate) fn new(source: &Password, given: &Secret, diagnostics: Diagnostics) -> Option<Self> {
        (source.can_change() && is_token(given)).then(|| Token {
            source: source.clone(),
            tokens: Mutex::new(Tokens { given: given.clone(), found: None }),
            diagnostics,
        })
    }

    /// The token to give to the broker, once it was found twice: a file may be half written.
    pub(crate) fn next(&self) -> Option<Secret> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.source.other_than(&tokens.given).filter(is_token);
        if found.is_none() || found != tokens.found {
            tokens.found = found;
            return None;
        }
        let next = tokens.found.take()?;
        tokens.given = next.clone();
        self.diagnostics.trace("giving the broker the new token");
        Some(next)
    }
}

/// Whether it has the form of a JWT (RFC 7519): three parts, of which the first is a JSON object in base64.
fn is_token(password: &Secret) -> bool {
    let text = password.reveal();
    text.starts_with("eyJ") && text.split('.').count() == 3
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_token_is_given_when_it_was_found_twice_and_nothing_else_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let write = |text: &str| fs::write(&path, text).unwrap();
        write("eyJa.b.c");
        let quiet = Diagnostics::new("test", true, false);
        let source = Password::in_file(path.to_str().unwrap(), quiet).unwrap();
        let given = source.for_login(quiet).unwrap();
        let token = Token::new(&source, &given, quiet).unwrap();
        let next = || token.next().map(|next| next.reveal().to_owned());
        assert_eq!(next(), None);
        for (text, wanted) in [
            ("eyJa.b.d", None),
            ("eyJa.b.de", None),
            ("eyJa.b.de", Some("eyJa.b.de")),
            ("eyJa.b.de", None),
            ("hunter2", None),
            ("hunter2", None),
            ("", None),
            ("eyJa.b.c", None),
            ("eyJa.b.c", Some("eyJa.b.c")),
        ] {
            write(text);
            assert_eq!(next().as_deref(), wanted, "{text}");
        }
        fs::remove_file(&path).unwrap();
        assert_eq!((next(), next()), (None, None));
    }

    #[test]
    fn a_password_is_no_token_and_what_cannot_change_is_not_read_again() {
        let quiet = Diagnostics::new("test", true, false);
        let new = |text: &str| {
            let secret = Secret::new(text);
            Token::new(&Password::known(secret.clone()), &secret, quiet).is_some()
        };
        assert!(!new("eyJa.b.c"));
        for (text, wanted) in
            [("eyJhbGciOiJIUzI1NiJ9.e30.x", true), ("eyJ", false), ("a.b.c", false)]
        {
            assert_eq!(is_token(&Secret::new(text)), wanted, "{text}");
        }
    }
}
