//! Which of the two ways leads to the broker. What is given decides; the other one is never tried.

use crate::administration::Administration;
use crate::arguments::Arguments;
use crate::distribution::{self, Distribution};
use crate::http::{self, ApiUrl, Http};
use rmq_common::diagnostics::Diagnostics;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;

/// Where `--api` comes from if the command line says nothing of either way.
const VARIABLE: &str = "RABBITMQ_API_URL";

/// A way to the broker.
#[derive(Debug)]
pub enum Way {
    /// Erlang distribution.
    Distribution(distribution::Options),
    /// The management HTTP API.
    Http(http::Options),
}

impl Way {
    /// The way that the command line chooses, else the environment, else distribution.
    ///
    /// # Errors
    /// Options of both ways, or a URL that is none (64; 78 where the environment gives it).
    pub fn choose(arguments: &Arguments) -> Result<Way, Failure> {
        Self::choose_among(arguments, std::env::var_os(VARIABLE).map(|url| url.into_string().ok()))
    }

    fn choose_among(
        arguments: &Arguments,
        variable: Option<Option<String>>,
    ) -> Result<Way, Failure> {
        let of_distribution = [
            ("--node", arguments.node.is_some()),
            ("--cookie-file", arguments.cookie_file.is_some()),
            ("--dist-port", arguments.dist_port.is_some()),
            ("--insecure-dist", arguments.insecure_dist),
        ];
        let of_distribution = of_distribution.into_iter().find_map(|(name, is)| is.then_some(name));
        let url = match (&arguments.api, of_distribution) {
            (Some(_), Some(option)) => {
                let why = format!("--api and {option} are of two different ways in; give one");
                return Err(Failure::usage(why));
            }
            (Some(url), None) => {
                let url: Result<ApiUrl, String> = url.parse();
                Some(url.map_err(|why| Failure::usage(format!("--api: {why}")))?)
            }
            (None, Some(_)) => None,
            (None, None) => from_environment(variable)?,
        };
        match (url, &arguments.cacert) {
            (None, Some(_)) => Err(Failure::usage("--cacert is for --api with https://")),
            (Some(url), Some(_)) if !url.tls => {
                Err(Failure::usage("certificates need TLS: write https:// in place of http://"))
            }
            (Some(url), cacert) => {
                let (cacert, timeout) = (cacert.clone(), arguments.timeout);
                Ok(Way::Http(http::Options { url, cacert, timeout }))
            }
            (None, None) => Ok(Way::Distribution(distribution::Options {
                node: arguments.node.clone(),
                cookie_file: arguments.cookie_file.clone(),
                port: arguments.dist_port,
                timeout: arguments.timeout,
                insecure: arguments.insecure_dist,
            })),
        }
    }

    /// Goes it.
    ///
    /// # Errors
    /// As [`Session::broker`](crate::session::Session::broker).
    pub fn connect(&self, diagnostics: Diagnostics) -> Result<Box<dyn Administration>, Failure> {
        Ok(match self {
            Way::Distribution(options) => Box::new(Distribution::connect(options, diagnostics)?),
            Way::Http(options) => Box::new(Http::connect(options, diagnostics)?),
        })
    }
}

/// The URL in the environment, where there is one: `Some(None)` is one that is not UTF-8.
fn from_environment(variable: Option<Option<String>>) -> Result<Option<ApiUrl>, Failure> {
    let wrong = |why: &str| Failure::new(Exit::Config, format!("${VARIABLE}: {why}"));
    match variable {
        None => Ok(None),
        Some(None) => Err(wrong("it is not UTF-8")),
        Some(Some(url)) if url.is_empty() => Ok(None),
        Some(Some(url)) => url.parse().map(Some).map_err(|why: String| wrong(&why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argh::FromArgs;

    fn choose(words: &[&str], variable: Option<&str>) -> Result<&'static str, u8> {
        let words: Vec<&str> = words.iter().copied().chain(["list-vhosts"]).collect();
        let arguments = Arguments::from_args(&["rmq-perm"], &words).unwrap();
        let variable = variable.map(|url| Some(url.to_owned()));
        match Way::choose_among(&arguments, variable) {
            Ok(Way::Distribution(_)) => Ok("distribution"),
            Ok(Way::Http(_)) => Ok("http"),
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
    fn a_url_that_is_none_is_blamed_on_whoever_gave_it() {
        assert_eq!(choose(&["--api", "me:hunter2@h"], None), Err(64));
        assert_eq!(choose(&["--api", ""], None), Err(64));
        assert_eq!(choose(&[], Some("me:hunter2@h")), Err(78));
        assert_eq!(
            Way::choose_among(
                &Arguments::from_args(&["rmq-perm"], &["list-vhosts"]).unwrap(),
                Some(None),
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
