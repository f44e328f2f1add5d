//! The connection options of every AMQP tool, defined once.

use crate::cli::diagnostics::Diagnostics;
use crate::cli::duration::Limit;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::password::Password;
use crate::cli::profiles::{self, Profile};
use crate::cli::secret::{self, Secret};
use crate::cli::settings::Settings;
use crate::names;
use crate::net::broker_url::BrokerUrl;
use crate::net::connection::Broker;
use crate::net::identity::Credentials;
use std::fmt;
use std::time::Duration;

/// How long every tool tries to reach a broker at first, unless `--retry` is given.
const FIRST_RETRY: Limit = Limit::For(Duration::from_secs(30));
/// The broker if nothing names one.
const DEFAULT_URL: &str = "amqp://guest:guest@localhost:5672";

/// The values of the connection options.
#[derive(Clone, Debug, Default)]
pub struct ConnectionOptions {
    /// Which broker and as whom.
    pub settings: Settings,
    /// A profile's password; no option takes one.
    password: Option<Password>,
    /// `--quiet`.
    pub quiet: bool,
    /// `--verbose`.
    pub verbose: bool,
    /// The source of the URL, for errors about it.
    url_source: UrlSource,
}

/// The source of a URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum UrlSource {
    /// The default.
    #[default]
    Default,
    /// `--url`.
    CommandLine,
    /// `$AMQP_URL`.
    Environment,
    /// A profile, described in these words.
    Profile(String),
}

impl fmt::Display for UrlSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UrlSource::Default => "the default URL",
            UrlSource::CommandLine => "--url",
            UrlSource::Environment => "$AMQP_URL",
            UrlSource::Profile(source) => source,
        })
    }
}

/// Defines a tool's options: its own, followed by those that every AMQP tool has.
///
/// A `macro_rules!` because argh has no flatten; the fields are captured as token trees because
/// argh must see `Option` to know that an option is optional.
#[macro_export]
macro_rules! with_connection_options {
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident { $($own:tt)* }) => {
        $(#[$attribute])*
        $visibility struct $name {
            $($own)*

            /// amqp://user:password@host1,host2:5673/vhost; amqps:// is TLS; several hosts are tried
            /// in turn; @PROFILE is one of profiles.toml. Default: $AMQP_URL, else
            /// amqp://guest:guest@localhost:5672
            #[argh(option, short = 'u', arg_name = "URL|@PROFILE")]
            pub url: Option<String>,

            /// virtual host; overrides the URL's, and needs no escapes
            #[argh(option, short = 'p', arg_name = "NAME")]
            pub vhost: Option<String>,

            /// user; overrides the URL's
            #[argh(option, arg_name = "NAME")]
            pub user: Option<String>,

            /// file whose first line is the password; overrides the URL's
            #[argh(option, arg_name = "FILE")]
            pub password_file: Option<String>,

            /// certificates of the authorities to trust instead of the system's
            #[argh(option, arg_name = "FILE")]
            pub cacert: Option<String>,

            /// client certificate to present
            #[argh(option, arg_name = "FILE")]
            pub cert: Option<String>,

            /// key of the client certificate
            #[argh(option, arg_name = "FILE")]
            pub key: Option<String>,

            /// how long to keep trying to reach a broker without progress: 0, 30s, 5m, forever
            #[argh(option, arg_name = "DURATION|forever")]
            pub retry: Option<$crate::duration::Limit>,

            /// print errors only, no notices
            #[argh(switch)]
            pub quiet: bool,

            /// print more on standard error
            #[argh(switch, short = 'v')]
            pub verbose: bool,

            /// show the version and exit
            #[argh(switch, short = 'V')]
            #[expect(dead_code, reason = "answered before the arguments are read")]
            version: bool,
        }

        impl $name {
            /// The connection options, completed from the environment and the profile.
            ///
            /// # Errors
            /// The profile does not exist or is invalid (78).
            pub fn connection(
                &self,
            ) -> Result<$crate::options::ConnectionOptions, $crate::failure::Failure> {
                let settings = $crate::settings::Settings {
                    url: self.url.clone(),
                    vhost: self.vhost.clone(),
                    user: self.user.clone(),
                    password_file: self.password_file.clone(),
                    cacert: self.cacert.clone(),
                    cert: self.cert.clone(),
                    key: self.key.clone(),
                    retry: self.retry,
                };
                $crate::options::ConnectionOptions::new(settings, self.quiet, self.verbose)
            }
        }
    };
}

impl ConnectionOptions {
    /// The options with these values, completed from the environment and a profile.
    ///
    /// # Errors
    /// The profile does not exist or is invalid (78).
    pub fn new(settings: Settings, quiet: bool, verbose: bool) -> Result<Self, Failure> {
        ConnectionOptions { settings, quiet, verbose, ..Default::default() }.with_profile()
    }

    /// The diagnostics of the tool called `program`.
    pub fn diagnostics(&self, program: &'static str) -> Diagnostics {
        Diagnostics::new(program, self.quiet, self.verbose)
    }

    /// How long to try to reach a broker at first.
    pub fn first_retry(&self) -> Limit {
        self.settings.retry.unwrap_or(FIRST_RETRY)
    }

    /// How long to continue later without progress; `default` is the tool's own default.
    pub fn retry_or(&self, default: Limit) -> Limit {
        self.settings.retry.unwrap_or(default)
    }

    /// The broker that these options name.
    ///
    /// # Errors
    /// A wrong URL on the command line (64) or in the environment (78); an unreadable password or
    /// certificate file (78).
    pub fn broker(&self, diagnostics: Diagnostics) -> Result<Broker, Failure> {
        let url = self.broker_url()?;
        if let UrlSource::Profile(source) = &self.url_source {
            diagnostics.trace(&format!("reading {source}"));
        }
        if !url.ignored.is_empty() {
            let (source, names) = (&self.url_source, url.ignored.join(", "));
            diagnostics.notice(&format!(
                "{source}: ignored, because only other clients support it: {names}"
            ));
        }
        let mut parameters = url.parameters;
        for (option, parameter) in [
            (&self.settings.cacert, &mut parameters.cacertfile),
            (&self.settings.cert, &mut parameters.certfile),
            (&self.settings.key, &mut parameters.keyfile),
        ] {
            if let Some(file) = option {
                *parameter = Some(file.clone());
            }
        }
        let files = [&parameters.cacertfile, &parameters.certfile, &parameters.keyfile];
        if !url.tls && files.iter().any(|file| file.is_some()) {
            // A certificate implies that the connection is to be encrypted.
            return Err(Failure::usage("certificates need TLS: write amqps:// instead of amqp://"));
        }
        let password = match &self.settings.password_file {
            Some(path) => Some(Password::in_file(path, diagnostics)?),
            None => self.password.clone().or(url.password.map(Password::known)),
        };
        let key = parameters.keyfile.as_ref();
        if let Some(told) = key.and_then(|path| secret::exposed("the key", path)) {
            diagnostics.notice(&told);
        }
        let vhost = self.settings.vhost.clone().or(url.vhost).unwrap_or_else(|| "/".to_owned());
        if vhost.is_empty() {
            return Err(Failure::usage("--vhost: the name is empty; the default one is /"));
        }
        names::not_a_url("--vhost", &vhost)?;
        if self.settings.user.as_deref() == Some("") {
            return Err(Failure::usage("--user: the name is empty; without it the URL's is used"));
        }
        let credentials = Credentials {
            user: self.settings.user.clone().or(url.user).unwrap_or_else(|| "guest".to_owned()),
            password: password.unwrap_or_else(|| Password::known(Secret::new("guest"))),
        };
        Broker::new(url.hosts, vhost, credentials, url.tls, parameters, diagnostics)
    }

    fn with_profile(mut self) -> Result<Self, Failure> {
        let settings = &mut self.settings;
        match (&settings.url, std::env::var_os("AMQP_URL").filter(|url| !url.is_empty())) {
            (Some(_), _) => self.url_source = UrlSource::CommandLine,
            (None, Some(url)) => {
                let url = url.into_string();
                let url = url.map_err(|_| bad_environment("$AMQP_URL: it is not UTF-8"))?;
                settings.url = Some(url);
                self.url_source = UrlSource::Environment;
            }
            (None, None) => {}
        }
        let Some(name) = settings.url.take_if(|url| url.starts_with('@')) else {
            return Ok(self);
        };
        let name = name.get(1..).unwrap_or_default();
        let profile = profiles::load(name)?;
        // A password file on the command line overrides both of the profile's options.
        if settings.password_file.is_none() {
            let password = password_in(&profile);
            self.password = password.map(|found| Password::in_profile(name, found, password_in));
        }
        self.url_source = UrlSource::Profile(profile.source);
        self.settings = self.settings.or(profile.settings);
        Ok(self)
    }

    fn broker_url(&self) -> Result<BrokerUrl, Failure> {
        let url = self.settings.url.as_deref().unwrap_or(DEFAULT_URL);
        let source = &self.url_source;
        url.parse().map_err(|why| {
            let failure = format!("{source}: {why}");
            match source {
                UrlSource::CommandLine => Failure::usage(failure),
                _ => bad_environment(failure),
            }
        })
    }
}

/// The password in a profile, in its URL too.
fn password_in(profile: &Profile) -> Option<Secret> {
    let of_url = || profile.settings.url.as_ref()?.parse::<BrokerUrl>().ok()?.password;
    profile.password.clone().or_else(of_url)
}

fn bad_environment(message: impl Into<String>) -> Failure {
    Failure::new(Exit::Config, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_without_tls_is_refused_and_not_ignored() {
        for (url, cacert) in [("amqp://h", Some("ca.pem")), ("amqp://h?certfile=c.pem", None)] {
            let settings = Settings {
                url: Some(url.to_owned()),
                cacert: cacert.map(str::to_owned),
                ..Settings::default()
            };
            let options = ConnectionOptions { settings, ..ConnectionOptions::default() };
            let failure = options.broker(Diagnostics::new("rmq-test", true, false)).err();
            assert_eq!(failure.map(|failure| failure.exit()), Some(Exit::Usage), "{url}");
        }
    }
}
