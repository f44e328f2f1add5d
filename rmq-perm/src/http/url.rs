//! The URL of the management API: `https://user:password@host:15671/prefix`.

use rmq_common::authority::{self, Authority, Host};
use rmq_common::secret::Secret;
use std::fmt;
use std::str::FromStr;

/// The URL of an API, with user and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiUrl {
    /// `https` rather than `http`.
    pub tls: bool,
    pub user: Option<String>,
    pub password: Option<Secret>,
    /// The host and its port.
    pub host: Host,
    /// The path before `/api`: empty, or begins with a slash.
    prefix: String,
}

impl FromStr for ApiUrl {
    type Err = String;

    /// Reads a URL. An error does not quote it, since it may contain the password.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        authority::check_visible(text)?;
        let (tls, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            _ => return Err("it does not begin with http:// or https://".to_owned()),
        };
        let (before_query, has_query) = match rest.split_once(['?', '#']) {
            Some((before, _)) => (before, true),
            None => (rest, false),
        };
        let (authority, path) = authority::split(text, before_query)?;
        if has_query {
            return Err("it has a query or a fragment; only a path may follow the host".to_owned());
        }
        let Authority { user, password, hosts } = authority.parse()?;
        if hosts.contains(',') {
            return Err("it has several hosts; give one".to_owned());
        }
        if user.as_ref().is_some_and(|user| user.contains(':')) {
            return Err("a user's name with a colon in it cannot be sent over HTTP".to_owned());
        }
        let path = path.unwrap_or_default().trim_end_matches('/');
        // Often copied from the API's own documentation, which has it in every path.
        let prefix = path.strip_suffix("api").filter(|rest| rest.is_empty() || rest.ends_with('/'));
        let prefix = prefix.unwrap_or(path).trim_matches('/');
        if !prefix.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("its path has characters that must be written as %-escapes".to_owned());
        }
        Ok(ApiUrl {
            tls,
            user,
            password,
            host: Host::parse(&hosts, if tls { 15671 } else { 15672 })?,
            prefix: if prefix.is_empty() { String::new() } else { format!("/{prefix}") },
        })
    }
}

impl fmt::Display for ApiUrl {
    /// The URL without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.host, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Result<String, String> {
        text.parse::<ApiUrl>().map(|url| url.to_string())
    }

    #[test]
    fn what_is_not_written_is_left_open_and_the_port_is_the_plugins_own() {
        let url: ApiUrl = "http://h".parse().unwrap();
        assert_eq!((url.user, url.password), (None, None));
        let url: ApiUrl = "http://h".parse().unwrap();
        assert_eq!(url.to_string(), "http://h:15672");
        assert_eq!(shown("HTTPS://h/").unwrap(), "https://h:15671");
        assert_eq!(shown("http://[::1]:80").unwrap(), "http://[::1]:80");
        assert_eq!(shown("http://").unwrap(), "http://localhost:15672");
    }

    #[test]
    fn a_path_is_what_the_api_stands_behind_with_or_without_its_own_name() {
        for path in ["", "/", "/api", "/api/"] {
            assert_eq!(shown(&format!("http://h{path}")).unwrap(), "http://h:15672");
        }
        for path in ["/rabbit/mq", "/rabbit/mq/", "/rabbit/mq/api"] {
            assert_eq!(shown(&format!("http://h{path}")).unwrap(), "http://h:15672/rabbit/mq");
        }
        assert_eq!(shown("http://h/myapi").unwrap(), "http://h:15672/myapi");
    }

    #[test]
    fn credentials_may_hold_anything_and_the_password_is_never_shown() {
        let url: ApiUrl = "https://m%40e:p%40ss%2Fw%C3%B6rd@h:1".parse().unwrap();
        assert_eq!(url.user.as_deref(), Some("m@e"));
        assert_eq!(url.password.as_ref().map(Secret::reveal), Some("p@ss/wörd"));
        assert_eq!(url.to_string(), "https://h:1");
        assert!(!format!("{url:?}").contains("p@ss"));
    }

    #[test]
    fn what_is_wrong_is_told_without_the_password() {
        for url in [
            "amqp://me:hunter2@h",
            "http://me:hun/ter2@h",
            "http://me:hun?ter2@h",
            "http://me:hun#ter2@h",
            "http://me:hunter2@h:0",
            "http://me:hunter2@h1,h2",
            "http://me:hunter2@h?x=1",
            "http://m%3Ae:hunter2@h",
            "http://me:hunter2%FF@h",
            "http://me:hunter2@h/a b",
            "me:hunter2@h",
            "http://me:hunter2",
            "http://me:1,hunter2",
            "http://me:p@hunter2@h",
            "http://me:p@hun/ter2@h",
            "http://me:hunter2@h\r",
        ] {
            let problem = shown(url).unwrap_err();
            assert!(!problem.contains("hun") && !problem.contains("ter2"), "{url}: {problem}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_a_url_or_a_sentence(text in ".{0,60}") {
            let _ = shown(&text);
            if let Ok(url) = shown(&format!("http://{text}")) {
                prop_assert!(url.starts_with("http://"));
            }
        }
    }
}
