//! Logs in with one of the mechanisms that the broker offers.
//!
//! lapin sends the mechanism that it is given, offered or not, and with it the password. It asks
//! for both after the broker has introduced itself ([`crate::net::greeting`] sees that), so the
//! choice is made here.

use crate::cli::secret::Secret;
use crate::net::server::Server;
use crate::net::token::{self, Token};
use lapin::ErrorKind;
use lapin::auth::AuthProvider;
use lapin::types::{LongString, ShortString};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The mechanisms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mechanism {
    Plain,
    /// RabbitMQ's first one, a table instead of bytes separated by zeros.
    AmqPlain,
    External,
}

/// What lapin asks when it logs in.
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: Secret,
    /// The password, if it is a token that may be replaced.
    pub(crate) token: Option<Token>,
    /// The certificate identifies us (`auth_mechanism=external`).
    pub(crate) external: bool,
    /// The broker's identity.
    pub(crate) server: Arc<OnceLock<Server>>,
    /// Our own refusal, which lapin drops.
    pub(crate) failed: flume::Sender<lapin::Error>,
}

impl Login {
    /// The mechanism to use, or a sentence that says why there is none.
    fn choose(&self) -> Result<Mechanism, String> {
        let Some(server) = self.server.get() else {
            // The broker introduced itself in a form that is not understood here.
            return Ok(if self.external { Mechanism::External } else { Mechanism::Plain });
        };
        let offers = |name| server.mechanisms.split(' ').any(|offered| offered == name);
        if self.external {
            return match offers("EXTERNAL") {
                true => Ok(Mechanism::External),
                false => Err("it does not offer EXTERNAL (only over TLS, and with the plugin \
                              rabbitmq_auth_mechanism_ssl)"
                    .to_owned()),
            };
        }
        if offers("PLAIN") {
            return Ok(Mechanism::Plain);
        }
        if offers("AMQPLAIN") {
            return Ok(Mechanism::AmqPlain);
        }
        let offered = server.mechanisms.replace(' ', ", ");
        let hint = match offers("EXTERNAL") {
            true => " (auth_mechanism=external in the URL, and --cert with --key)",
            false => "",
        };
        Err(format!("it takes no password, and was not sent one; it offers {offered}{hint}"))
    }

    fn response(&self, mechanism: Mechanism) -> Vec<u8> {
        let password = self.password.reveal().as_bytes();
        match mechanism {
            Mechanism::External => Vec::new(),
            Mechanism::Plain => [b"\0", self.user.as_bytes(), b"\0", password].concat(),
            Mechanism::AmqPlain => {
                // Fields of a table without its length (AMQP 0-9-1, section 4.2.5.5).
                let fields: [(&[u8], &[u8]); 2] =
                    [(b"LOGIN", self.user.as_bytes()), (b"PASSWORD", password)];
                fields.into_iter().fold(Vec::new(), |mut table, (name, value)| {
                    table.push(u8::try_from(name.len()).unwrap_or_default());
                    table.extend(name);
                    table.push(b'S');
                    table.extend(u32::try_from(value.len()).unwrap_or_default().to_be_bytes());
                    table.extend(value);
                    table
                })
            }
        }
    }
}

impl AuthProvider for Login {
    fn mechanism(&self) -> ShortString {
        let name = match self.choose() {
            Ok(Mechanism::External) => "EXTERNAL",
            Ok(Mechanism::AmqPlain) => "AMQPLAIN",
            Ok(Mechanism::Plain) | Err(_) => "PLAIN",
        };
        ShortString::try_new(name).unwrap_or_default()
    }

    fn auth_starter(&self) -> Result<LongString, String> {
        match self.choose() {
            Ok(mechanism) => Ok(self.response(mechanism).into()),
            Err(why) => {
                // Channel for one message; another attempt's has no receiver.
                let error = lapin::Error::from(ErrorKind::AuthProviderError(why.clone()));
                let _ = self.failed.try_send(error);
                Err(why)
            }
        }
    }

    /// lapin asks for a refreshed one each time after this.
    fn valid_for(&self) -> Option<Duration> {
        self.token.as_ref().map(|_| token::INTERVAL)
    }

    /// With an error nothing is sent to the broker.
    fn refresh(&self) -> Result<LongString, String> {
        let next = self.token.as_ref().and_then(Token::next);
        next.map(|next| next.reveal().into()).ok_or_else(|| "it is the same".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(mechanisms: &str, external: bool) -> (Login, flume::Receiver<lapin::Error>) {
        let (failed, failure) = flume::bounded(1);
        let server = Server { mechanisms: mechanisms.to_owned(), ..Server::default() };
        let login = Login {
            user: "me".to_owned(),
            password: Secret::new("pä"),
            token: None,
            external,
            server: Arc::new(OnceLock::from(server)),
            failed,
        };
        (login, failure)
    }

    #[test]
    fn a_password_is_sent_only_by_a_mechanism_that_is_offered() {
        for (offered, mechanism, response) in [
            ("AMQPLAIN PLAIN", "PLAIN", &b"\0me\0p\xc3\xa4"[..]),
            ("AMQPLAIN", "AMQPLAIN", b"\x05LOGINS\0\0\0\x02me\x08PASSWORDS\0\0\0\x03p\xc3\xa4"),
        ] {
            let (login, _) = login(offered, false);
            assert_eq!(login.mechanism().as_str(), mechanism);
            assert_eq!(login.auth_starter().unwrap().as_bytes(), response);
        }
        for (offered, says) in [
            ("EXTERNAL", "it offers EXTERNAL (auth_mechanism=external"),
            ("ANONYMOUS RABBIT-CR-DEMO", "it offers ANONYMOUS, RABBIT-CR-DEMO"),
        ] {
            let (login, failure) = login(offered, false);
            assert!(login.auth_starter().unwrap_err().contains(says), "{offered}");
            assert!(failure.try_recv().is_ok());
        }
    }

    #[test]
    fn with_external_nothing_but_the_certificate_is_shown() {
        let (login, _) = login("PLAIN EXTERNAL", true);
        assert_eq!(login.mechanism().as_str(), "EXTERNAL");
        assert!(login.auth_starter().unwrap().as_bytes().is_empty());
        let (login, _) = self::login("PLAIN", true);
        assert!(login.auth_starter().unwrap_err().contains("does not offer EXTERNAL"));
    }
}
