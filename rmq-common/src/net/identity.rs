//! What proves our identity to a broker, read at each login, and what a refusal means for it.

use crate::cli::diagnostics::Diagnostics;
use crate::cli::failure::Failure;
use crate::cli::password::{Now, Password};
use crate::cli::secret::Secret;
use crate::net::tls::Tls;
use crate::net::tls_files::TlsFiles;
use crate::net::token::Token;

/// A user and a password.
pub struct Credentials {
    /// The user's name.
    pub user: String,
    /// The user's password.
    pub password: Password,
}

/// Who we are.
pub(crate) struct Identity {
    credentials: Credentials,
    /// The certificate identifies us (`auth_mechanism=external`), and no password is used.
    external: bool,
    tls: Option<TlsFiles>,
    diagnostics: Diagnostics,
}

/// What one login uses.
pub(crate) struct Proof {
    pub(crate) password: Secret,
    pub(crate) tls: Option<Tls>,
}

impl Identity {
    pub(crate) fn new(
        credentials: Credentials,
        external: bool,
        tls: Option<TlsFiles>,
        diagnostics: Diagnostics,
    ) -> Self {
        Identity { credentials, external, tls, diagnostics }
    }

    /// The user's name.
    pub(crate) fn user(&self) -> &str {
        &self.credentials.user
    }

    /// What the next login uses.
    ///
    /// # Errors
    /// As [`Password::for_login`].
    pub(crate) fn for_login(&mut self) -> Result<Proof, Failure> {
        let diagnostics = self.diagnostics;
        let password = match self.external {
            true => Secret::new(""),
            false => self.credentials.password.for_login(diagnostics)?,
        };
        let tls = self.tls.as_mut().map(|files| files.for_connection(diagnostics));
        Ok(Proof { password, tls })
    }

    /// The token that was used, if it was one.
    pub(crate) fn token(&self, used: &Proof) -> Option<Token> {
        Token::new(&self.credentials.password, &used.password, self.diagnostics)
    }

    /// Records that a broker has accepted us.
    pub(crate) fn accepted(&self) {
        self.credentials.password.accepted();
    }

    /// Whether something has changed for another login, after one with `used` was refused.
    pub(crate) fn refused(&self, used: &Proof) -> Now {
        match self.external {
            true => self.distrusted(),
            false => self.credentials.password.refused(&used.password),
        }
    }

    /// Whether something has changed for another connection, after TLS has failed.
    pub(crate) fn distrusted(&self) -> Now {
        match self.tls.as_ref().is_some_and(TlsFiles::is_outdated) {
            true => Now::Another,
            false => Now::Same,
        }
    }
}
