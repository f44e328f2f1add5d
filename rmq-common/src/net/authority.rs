//! The authority of a URL: `user:password@host1,host2:5673`.

use crate::cli::secret::Secret;
use percent_encoding::percent_decode_str;
use std::fmt;
use std::str::FromStr;

/// The part of a URL between its `//` and its path. The hosts are not parsed yet, because their
/// default port depends on the scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The user's name.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// The hosts as written.
    pub hosts: String,
}

/// A host and its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// A name or an address; IPv6 without its brackets.
    pub name: String,
    /// The port.
    pub port: u16,
}

/// Splits `rest`, what follows `//` in the URL `text`, into the authority and the path after its
/// first `/`.
///
/// # Errors
/// Something other than the last character of the user and the password seems to end them, so that
/// part of a password would be taken for a host. The error quotes nothing of the text.
pub fn split<'a>(text: &str, rest: &'a str) -> Result<(&'a str, Option<&'a str>), String> {
    if text.matches('@').count() > 1 {
        return Err("it has more than one @; only the one before the host is written as it is, \
                    any other as %40"
            .to_owned());
    }
    let (authority, path) = match rest.split_once('/') {
        Some((authority, path)) => (authority, Some(path)),
        None => (rest, None),
    };
    if !authority.contains('@') && text.contains('@') {
        return Err("a / or ? in the user or the password is written as %2F or %3F, \
                    and an @ elsewhere as %40"
            .to_owned());
    }
    Ok((authority, path))
}

impl FromStr for Authority {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (credentials, hosts) = match text.split_once('@') {
            Some((credentials, hosts)) => (Some(credentials), hosts),
            None => (None, text),
        };
        let (user, password) = match credentials.map(|credentials| credentials.split_once(':')) {
            None => (None, None),
            Some(Some((user, password))) => (Some(user), Some(password)),
            Some(None) => (credentials, None),
        };
        let user = user.filter(|user| !user.is_empty());
        let password = password.map(|password| decode(password, "password")).transpose()?;
        Ok(Authority {
            user: user.map(|user| decode(user, "user")).transpose()?,
            password: password.map(Secret::new),
            hosts: hosts.to_owned(),
        })
    }
}

/// An error about a port, which may in fact be a password whose host is missing.
const NO_PORT: &str = "the port is not a number from 1 to 65535 (or the host is missing: user and \
                       password come before an @)";
const NO_HOST: &str = "the host has a character that no host's name has (or is a part of the \
                       password, in which anything but letters and digits is written as %XX)";

impl Host {
    /// Parses `name`, `name:port`, `[address]` or `[address]:port`; an empty name is localhost.
    ///
    /// # Errors
    /// A sentence that quotes nothing: if an `@` is missing, the text is the password.
    pub fn parse(text: &str, default_port: u16) -> Result<Host, String> {
        let (name, port) = match text.strip_prefix('[') {
            Some(bracketed) => {
                let (name, rest) =
                    bracketed.split_once(']').ok_or("the host begins with [ and has no ]")?;
                if name.parse::<std::net::Ipv6Addr>().is_err() {
                    return Err("what is between [ and ] is not an IPv6 address".to_owned());
                }
                match rest.strip_prefix(':') {
                    Some(port) => (name.to_owned(), Some(port)),
                    None if rest.is_empty() => (name.to_owned(), None),
                    None => return Err("what follows the ] of a host is not a port".to_owned()),
                }
            }
            None => {
                let (name, port) = match text.split_once(':') {
                    Some((_, port)) if port.contains(':') => {
                        return Err("an IPv6 address is written between [ and ]".to_owned());
                    }
                    Some((name, port)) => (decode(name, "host")?, Some(port)),
                    None => (decode(text, "host")?, None),
                };
                if !name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')) {
                    return Err(NO_HOST.to_owned());
                }
                (name, port)
            }
        };
        let port = match port {
            None => default_port,
            Some(port) => match port.parse::<u16>() {
                Ok(port) if port > 0 && !text.contains('+') => port,
                _ => return Err(NO_PORT.to_owned()),
            },
        };
        let name = if name.is_empty() { "localhost".to_owned() } else { name };
        Ok(Host { name, port })
    }

    /// Parses hosts with commas between them. `names_user` is whether a user precedes them.
    ///
    /// # Errors
    /// As [`parse`](Self::parse); or they may be a user, a `:` and a password with a comma, which
    /// must not be looked up in the DNS.
    pub fn parse_list(
        text: &str,
        default_port: u16,
        names_user: bool,
    ) -> Result<Vec<Host>, String> {
        let mut hosts = text.split(',');
        let has_port = |host: &str| host.rsplit(']').next().is_some_and(|end| end.contains(':'));
        if !names_user && hosts.next().is_some_and(has_port) && hosts.any(|host| !has_port(host)) {
            return Err("the first host has a port and another has none, which may be a password \
                        whose host is missing: write the port of each host, or an @ before the \
                        first"
                .to_owned());
        }
        text.split(',').map(|host| Host::parse(host, default_port)).collect()
    }
}

/// Checks that `text` contains no invisible characters, which no URL has.
///
/// # Errors
/// A sentence that shows the character: often a carriage return left from a Windows line end, or a
/// blank at the end of copied text.
pub fn check_visible(text: &str) -> Result<(), String> {
    if text.ends_with('\r') {
        return Err("it ends with \\r, the line end of a file from Windows".to_owned());
    }
    if let Some(control) = text.chars().find(|c| c.is_control()) {
        return Err(format!("it has the character {} in it", control.escape_default()));
    }
    for (end, is_blank) in [
        ("begins", text.starts_with(char::is_whitespace)),
        ("ends", text.ends_with(char::is_whitespace)),
    ] {
        if is_blank {
            return Err(format!("it {end} with a blank"));
        }
    }
    Ok(())
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.contains(':') {
            write!(f, "[{}]:{}", self.name, self.port)
        } else {
            write!(f, "{}:{}", self.name, self.port)
        }
    }
}

/// Decodes the %-escapes of the text; errors call it `what`.
///
/// # Errors
/// The result is not UTF-8.
pub fn decode(text: &str, what: &str) -> Result<String, String> {
    percent_decode_str(text)
        .decode_utf8()
        .map(|text| text.into_owned())
        .map_err(|_| format!("the {what} is not UTF-8 once its %-escapes are decoded"))
}
