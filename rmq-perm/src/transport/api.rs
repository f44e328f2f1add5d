//! The management API that the options, the environment or a profile name.

use crate::http::{self, ApiUrl};
use crate::options::Options;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::password::Password;
use rmq_common::profiles::{self, Profile};
use rmq_common::secret::Secret;
use std::time::Duration;

/// The source of `--api` if the command line names neither a node nor an API.
pub const VARIABLE: &str = "RABBITMQ_API_URL";

/// A management API, with its profile.
#[derive(Default)]
pub struct Api {
    /// With its source and the exit status for errors about it.
    url: Option<ApiUrl>,
    source: String,
    exit: Option<Exit>,
    profile: Profile,
    /// The profile's password.
    password: Option<Password>,
}

impl Api {
    pub fn read(text: &str, source: &str, exit: Exit) -> Result<Self, Failure> {
        let mut api = Api { source: source.to_owned(), exit: Some(exit), ..Api::default() };
        let mut text = text.to_owned();
        if let Some(name) = text.strip_prefix('@') {
            api.profile = profiles::load(name)?;
            let password = password_in(&api.profile);
            api.password = password.map(|found| Password::in_profile(name, found, password_in));
            api.source = api.profile.source.clone();
            api.exit = Some(Exit::Config);
            text = api.profile.api.clone().ok_or_else(|| {
                api.failure("it has no key api, such as api = \"https://host:15671\"")
            })?;
        }
        api.url = Some(text.parse().map_err(|why: String| api.failure(&why))?);
        Ok(api)
    }

    fn failure(&self, why: &str) -> Failure {
        Failure::new(self.exit.unwrap_or(Exit::Usage), format!("{}: {why}", self.source))
    }

    pub fn options(
        self,
        options: &Options,
        timeout: Duration,
        long: Duration,
        diagnostics: Diagnostics,
    ) -> Result<http::Options, Failure> {
        let Some(url) = &self.url else { return Err(self.failure("it names no URL")) };
        if !self.profile.source.is_empty() {
            diagnostics.trace(&format!("reading {}", self.profile.source));
        }
        let cacert = options.cacert.clone().or(self.profile.settings.cacert.clone());
        if cacert.is_some() && !url.tls {
            return Err(Failure::usage("certificates need TLS: write https:// instead of http://"));
        }
        let user = options.user.clone().or(self.profile.settings.user.clone()).or(url.user.clone());
        let of_profile = &self.profile;
        let of_profile_file =
            of_profile.settings.password_file.as_ref().filter(|_| of_profile.password.is_none());
        let password = match options.password_file.as_ref().or(of_profile_file) {
            Some(file) => Some(Password::in_file(file, diagnostics)?),
            None => self.password.clone().or(url.password.clone().map(Password::known)),
        };
        let password = match password {
            Some(password) => password,
            None => match user {
                Some(user) => {
                    let why = format!("no password for {user}; give --password-file FILE");
                    return Err(self.failure(&why));
                }
                None => Password::known(Secret::new("guest")),
            },
        };
        let user = user.unwrap_or_else(|| "guest".to_owned());
        if user.contains(':') {
            return Err(Failure::usage(
                "a user's name with a colon in it cannot be sent over HTTP",
            ));
        }
        let (url, retry) = (url.clone(), of_profile.settings.retry);
        Ok(http::Options { url, user, password, cacert, timeout, long, retry })
    }

    /// The API in the environment, if any; `Some(None)` means that it is not UTF-8.
    pub fn from_environment(variable: Option<Option<String>>) -> Result<Option<Api>, Failure> {
        let source = format!("${VARIABLE}");
        match variable {
            None => Ok(None),
            Some(None) => Err(Failure::new(Exit::Config, format!("{source}: it is not UTF-8"))),
            Some(Some(url)) if url.is_empty() => Ok(None),
            Some(Some(url)) => Api::read(&url, &source, Exit::Config).map(Some),
        }
    }
}

/// The password in a profile, in its URL too.
fn password_in(profile: &Profile) -> Option<Secret> {
    let of_url = || profile.api.as_ref()?.parse::<ApiUrl>().ok()?.password;
    profile.password.clone().or_else(of_url)
}
