//! Who and where in a URL: `user:password@host1,host2:5673`.

use crate::secret::Secret;
use percent_encoding::percent_decode_str;
use std::fmt;
use std::str::FromStr;

/// The part of a URL between its `//` and its path, read but for the hosts, whose default port
/// depends on the scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The user's name.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// The hosts, as they are written.
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

/// Parts `rest`, what follows `//` in the URL `text`, into the authority and the path behind its
/// first `/`.
///
/// # Errors
/// When what ends the authority seems to be a part of the password. Nothing of the text is quoted.
pub fn split<'a>(text: &str, rest: &'a str) -> Result<(&'a str, Option<&'a str>), String> {
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
        let (credentials, hosts) = match text.rsplit_once('@') {
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

impl Host {
    /// Reads `name`, `name:port`, `[address]` or `[address]:port`; no name is localhost.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(text: &str, default_port: u16) -> Result<Host, String> {
        let (name, port) = match text.strip_prefix('[') {
            Some(bracketed) => {
                let (name, rest) = bracketed
                    .split_once(']')
                    .ok_or_else(|| format!("the host '{text}' has no closing ]"))?;
                if name.parse::<std::net::Ipv6Addr>().is_err() {
                    return Err(format!("'{name}' between [ and ] is not an IPv6 address"));
                }
                match rest.strip_prefix(':') {
                    Some(port) => (name.to_owned(), Some(port)),
                    None if rest.is_empty() => (name.to_owned(), None),
                    None => return Err(format!("'{rest}' after the ] of a host is not a port")),
                }
            }
            None => match text.split_once(':') {
                Some((_, port)) if port.contains(':') => {
                    return Err(format!("write the IPv6 address '{text}' between [ and ]"));
                }
                Some((name, port)) => (decode(name, "host")?, Some(port)),
                None => (decode(text, "host")?, None),
            },
        };
        let port = match port {
            None => default_port,
            Some(port) => match port.parse::<u16>() {
                Ok(port) if port > 0 && !text.contains('+') => port,
                _ => return Err(format!("the port '{port}' is not a number from 1 to 65535")),
            },
        };
        if name.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(format!("the host '{}' has a space in it", name.escape_debug()));
        }
        let name = if name.is_empty() { "localhost".to_owned() } else { name };
        Ok(Host { name, port })
    }
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

/// The text without its %-escapes; `what` it is goes into the error.
///
/// # Errors
/// When it is not UTF-8 then.
pub fn decode(text: &str, what: &str) -> Result<String, String> {
    percent_decode_str(text)
        .decode_utf8()
        .map(|text| text.into_owned())
        .map_err(|_| format!("the {what} is not UTF-8 once its %-escapes are decoded"))
}
