//! The transport to the broker. The options decide between the two; the other is never tried.

mod api;

use self::api::Api;
use crate::administration::Administration;
use crate::distribution::{self, Distribution};
use crate::http::{self, Http};
use crate::options::Options;
use crate::reach::{self, Unreached};
use rmq_common::diagnostics::Diagnostics;
use rmq_common::duration::Limit;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use std::time::Duration;

/// How long to wait for an answer without `--timeout`;
const TIMEOUT: Duration = Duration::from_secs(10);
/// and for long operations: deleting a virtual host with a thousand quorum queues takes a minute.
const LONG: Duration = Duration::from_secs(300);

#[derive(Debug)]
pub enum Transport {
    Distribution(distribution::Options),
    Http(http::Options),
}

impl Transport {
    /// The transport that the command line, or else the environment, names; otherwise distribution.
    ///
    /// # Errors
    /// Options of both, or an invalid URL (64; 78 from the environment); an unreadable profile or
    /// password file (78).
    pub fn choose(options: &Options, diagnostics: Diagnostics) -> Result<Transport, Failure> {
        let variable = std::env::var_os(api::VARIABLE).map(|url| url.into_string().ok());
        Self::choose_among(options, variable, diagnostics)
    }

    fn choose_among(
        options: &Options,
        variable: Option<Option<String>>,
        diagnostics: Diagnostics,
    ) -> Result<Transport, Failure> {
        if options.url.is_some() {
            return Err(Failure::usage(
                "rmq-perm has no --url: give a node (-n, --node NAME@HOST) or the management \
                 API (--api http://HOST:15672), and the virtual host with -p",
            ));
        }
        let of_distribution = [
            ("--node", options.node.is_some()),
            ("--cookie-file", options.cookie_file.is_some()),
            ("--dist-port", options.dist_port.is_some()),
            ("--insecure-dist", options.insecure_dist),
        ];
        let of_distribution = of_distribution.into_iter().find_map(|(name, is)| is.then_some(name));
        let api = match (&options.api, of_distribution) {
            (Some(_), Some(option)) => {
                let why = format!("--api and {option} cannot be combined");
                return Err(Failure::usage(why));
            }
            (Some(url), None) => Some(Api::read(url, "--api", Exit::Usage)?),
            (None, Some(_)) => None,
            (None, None) => Api::from_environment(variable)?,
        };
        let timeout = options.timeout.unwrap_or(TIMEOUT);
        let long = options.timeout.unwrap_or(LONG);
        if let Some(api) = api {
            return api.options(options, timeout, long, diagnostics).map(Transport::Http);
        }
        let of_http = [
            ("--cacert requires --api with https://", options.cacert.is_some()),
            ("--user requires --api: Erlang distribution uses the cookie", options.user.is_some()),
            (
                "--password-file before the command requires --api: Erlang distribution uses \
                 the cookie",
                options.password_file.is_some(),
            ),
        ];
        if let Some((why, _)) = of_http.into_iter().find(|(_, is)| *is) {
            return Err(Failure::usage(why));
        }
        Ok(Transport::Distribution(distribution::Options {
            node: options.node.clone(),
            cookie_file: options.cookie_file.clone(),
            port: options.dist_port,
            timeout,
            long,
            insecure: options.insecure_dist,
        }))
    }

    /// The profile's `retry`, if it has one.
    pub fn retry(&self) -> Option<Limit> {
        match self {
            Transport::Distribution(_) => None,
            Transport::Http(options) => options.retry,
        }
    }

    /// Connects; on failure, returns why, and whether trying again may help.
    pub fn connect_once(
        &self,
        diagnostics: Diagnostics,
    ) -> Result<Box<dyn Administration>, Unreached> {
        Ok(match self {
            Transport::Distribution(options) => {
                let broker = Distribution::connect(options, diagnostics)?;
                Box::new(broker) as Box<dyn Administration>
            }
            Transport::Http(options) => Box::new(Http::connect(options, diagnostics)?),
        })
    }

    /// Connects, and tries again for `retry` while the broker may be starting.
    pub fn connect(
        &self,
        retry: Limit,
        diagnostics: Diagnostics,
    ) -> Result<Box<dyn Administration>, Failure> {
        reach::connect(retry, diagnostics, || self.connect_once(diagnostics))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;
    use argh::FromArgs;

    fn quiet() -> Diagnostics {
        Diagnostics::new("rmq-perm", true, false)
    }

    fn choose(words: &[&str], variable: Option<&str>) -> Result<&'static str, u8> {
        let words: Vec<&str> = words.iter().copied().chain(["list-vhosts"]).collect();
        let arguments = Arguments::from_args(&["rmq-perm"], &words).unwrap().parts().0;
        let variable = variable.map(|url| Some(url.to_owned()));
        match Transport::choose_among(&arguments, variable, quiet()) {
            Ok(Transport::Distribution(_)) => Ok("distribution"),
            Ok(Transport::Http(_)) => Ok("http"),
            Err(failure) => {
                assert!(!failure.to_string().contains("hunter2"), "{failure}");
                Err(failure.exit().status())
            }
        }
    }

    #[test]
    fn what_is_given_decides_and_the_command_line_before_the_environment() {
        let variable = Some("http://me:hunter2@h");
        assert_eq!(choose(&[], None), Ok("distribution"));
        assert_eq!(choose(&[], Some("")), Ok("distribution"));
        assert_eq!(choose(&[], variable), Ok("http"));
        assert_eq!(choose(&["--api", "http://h"], None), Ok("http"));
        for words in [
            &["--node", "n"][..],
            &["--cookie-file", "f"],
            &["--dist-port", "1"],
            &["--insecure-dist"],
        ] {
            assert_eq!(choose(words, variable), Ok("distribution"), "{words:?}");
            let both = [words, &["--api", "http://me:hunter2@h"]].concat();
            assert_eq!(choose(&both, None), Err(64), "{both:?}");
        }
    }

    #[test]
    fn a_user_is_never_tried_with_somebody_elses_password() {
        let chosen = |words: &[&str]| {
            let words: Vec<&str> = words.iter().copied().chain(["list-vhosts"]).collect();
            let arguments = Arguments::from_args(&["rmq-perm"], &words).unwrap().parts().0;
            match Transport::choose_among(&arguments, None, quiet()) {
                Ok(Transport::Http(options)) => {
                    let password = options.password.for_login(quiet()).unwrap();
                    Ok((options.user, password.reveal().to_owned()))
                }
                Ok(Transport::Distribution(_)) => panic!("not over HTTP"),
                Err(failure) => Err((failure.to_string(), failure.exit().status())),
            }
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "from-file\n").unwrap();
        let file = file.path().to_str().unwrap();
        let is = |user: &str, password: &str| Ok((user.to_owned(), password.to_owned()));
        assert_eq!(chosen(&["--api", "http://h"]), is("guest", "guest"));
        assert_eq!(chosen(&["--api", "http://guest:guest@h"]), is("guest", "guest"));
        assert_eq!(chosen(&["--api", "http://adm:pw@h"]), is("adm", "pw"));
        let words = ["--api", "http://adm:pw@h", "--password-file", file, "--user", "joe"];
        assert_eq!(chosen(&words), is("joe", "from-file"));
        assert_eq!(
            chosen(&["--api", "http://h", "--password-file", file]),
            is("guest", "from-file")
        );
        let why = "--api: no password for adm; give --password-file FILE".to_owned();
        assert_eq!(chosen(&["--api", "http://adm@h"]), Err((why.clone(), 64)));
        assert_eq!(chosen(&["--api", "http://h", "--user", "adm"]), Err((why.clone(), 64)));
        // A given user, even guest, needs a password: guest's own is for a URL without a user.
        let why = why.replace("adm", "guest");
        assert_eq!(chosen(&["--api", "http://guest@h"]), Err((why.clone(), 64)));
        assert_eq!(chosen(&["--api", "http://h", "--user", "guest"]), Err((why, 64)));
        assert_eq!(
            chosen(&["--api", "http://h", "--user", "a:b", "--password-file", file]).unwrap_err().1,
            64
        );
        for option in ["--user", "--password-file"] {
            assert_eq!(chosen(&[option, "x"]).unwrap_err().1, 64);
        }
        for option in ["--url", "-u"] {
            let (why, status) = chosen(&[option, "amqp://me:hunter2@h"]).unwrap_err();
            assert!(status == 64 && why.contains("--api") && !why.contains("hunter2"), "{why}");
        }
    }

    #[test]
    fn a_url_that_is_none_is_blamed_on_whoever_gave_it() {
        assert_eq!(choose(&["--api", "me:hunter2@h"], None), Err(64));
        assert_eq!(choose(&["--api", ""], None), Err(64));
        assert_eq!(choose(&[], Some("me:hunter2@h")), Err(78));
        assert_eq!(
            Transport::choose_among(
                &Arguments::from_args(&["rmq-perm"], &["list-vhosts"]).unwrap().parts().0,
                Some(None),
                quiet(),
            )
            .unwrap_err()
            .exit(),
            Exit::Config
        );
    }

    #[test]
    fn a_certificate_where_there_is_no_tls_is_refused_and_not_ignored() {
        let cacert = ["--cacert", "ca.pem"];
        assert_eq!(choose(&cacert, None), Err(64));
        assert_eq!(choose(&cacert, Some("http://h")), Err(64));
        assert_eq!(choose(&cacert, Some("https://h")), Ok("http"));
    }
}
