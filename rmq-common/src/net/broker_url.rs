//! `amqp://` and `amqps://` URLs, with several hosts and RabbitMQ's query parameters.
//!
//! lapin's parser turns `amqp://[::1]` into localhost and a lone `/` into the empty virtual host,
//! refuses lists of hosts, and prints passwords; so URLs are parsed here. The rules are those of
//! RabbitMQ's URI specification (<https://www.rabbitmq.com/docs/uri-spec>) and its query parameters
//! (<https://www.rabbitmq.com/docs/uri-query-parameters>), except that no path and a lone `/` both
//! mean the virtual host `/`: no broker has one with an empty name.

use crate::cli::nearest;
use crate::cli::secret::Secret;
use crate::net::authority::{self, Authority, Host, decode};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The parsed URL. `None` means not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerUrl {
    /// `amqps` rather than `amqp`.
    pub tls: bool,
    /// The user's name.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// The hosts to try in turn; at least one.
    pub hosts: Vec<Host>,
    /// The virtual host.
    pub vhost: Option<String>,
    /// The query parameters.
    pub parameters: Parameters,
    /// The names of its parameters that only other clients know.
    pub ignored: Vec<&'static str>,
}

/// RabbitMQ's query parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// `heartbeat`: seconds.
    pub heartbeat: Option<u16>,
    /// `connection_timeout`: milliseconds in the URL.
    pub connection_timeout: Option<Duration>,
    /// `cacertfile`: certificates of the authorities to trust.
    pub cacertfile: Option<String>,
    /// `certfile`: the client's certificate.
    pub certfile: Option<String>,
    /// `keyfile`: the client certificate's key.
    pub keyfile: Option<String>,
    /// `verify`: `verify_peer` (true) or `verify_none` (false).
    pub verify: Option<bool>,
    /// `server_name_indication`: the name to ask for and to verify.
    pub server_name_indication: Option<String>,
    /// `auth_mechanism=external`: the certificate says who we are.
    pub external: bool,
}

impl FromStr for BrokerUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        authority::check_visible(text)?;
        let (tls, rest) = split_scheme(text)?;
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let (authority, path) = authority::split(text, rest)?;
        let Authority { user, password, hosts } = authority.parse()?;
        let default_port = if tls { 5671 } else { 5672 };
        let names_user = authority.contains('@');
        let hosts = Host::parse_list(&hosts, default_port, names_user)?;
        let vhost = path.map(parse_vhost).transpose()?.flatten();
        // If a password may have begun without an @ to end it, this may be its rest.
        let is_quotable = names_user || !authority.contains(':');
        let (parameters, ignored) = parse_query(query.unwrap_or_default(), is_quotable)?;
        Ok(BrokerUrl { tls, user, password, hosts, vhost, parameters, ignored })
    }
}

fn split_scheme(text: &str) -> Result<(bool, &str), String> {
    // The sentence does not quote the URL, which may contain a password.
    match text.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("amqp") => Ok((false, rest)),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("amqps") => Ok((true, rest)),
        _ => Err("it does not begin with amqp:// or amqps://".to_owned()),
    }
}

/// The path without its first `/`; `None` if that is empty.
fn parse_vhost(path: &str) -> Result<Option<String>, String> {
    if path.contains('/') {
        return Err("the path has a second /; write a / in a virtual host's name as %2F, \
                    or use --vhost"
            .to_owned());
    }
    let vhost = decode(path, "virtual host")?;
    Ok(Some(vhost).filter(|vhost| !vhost.is_empty()))
}

/// RabbitMQ's parameters that are supported.
const KNOWN: [&str; 8] = [
    "heartbeat",
    "connection_timeout",
    "cacertfile",
    "certfile",
    "keyfile",
    "verify",
    "server_name_indication",
    "auth_mechanism",
];

/// Parameters of other clients (pika, Java, Go, Node, Ruby, Python's asyncio) that are safe to
/// ignore: sizes, counts and timeouts. Those that decide whom to trust are not here.
const OF_OTHERS: [&str; 19] = [
    "backpressure_detection",
    "blocked_connection_timeout",
    "channelMax",
    "channel_max",
    "connection_attempts",
    "connection_name",
    "fail_fast",
    "frameMax",
    "frame_max",
    "keepalive",
    "locale",
    "name",
    "read_write_timeout",
    "reconnect_interval",
    "retry_delay",
    "socket_timeout",
    "stack_timeout",
    "tcp_options",
    "timeout",
];

/// Other clients' names for parameters that have another name here.
const OTHER_NAMES: [(&str, &str); 6] = [
    ("heartbeat_interval", "heartbeat"),
    ("cafile", "cacertfile"),
    ("ca_certs", "cacertfile"),
    ("no_verify_ssl", "verify"),
    ("ssl_options", "cacertfile, certfile and keyfile"),
    ("sni", "server_name_indication"),
];

fn parse_query(query: &str, is_quotable: bool) -> Result<(Parameters, Vec<&'static str>), String> {
    let mut parameters = Parameters::default();
    let mut ignored = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if let Some(name) = OF_OTHERS.into_iter().find(|known| *known == name) {
            if !ignored.contains(&name) {
                ignored.push(name);
            }
            continue;
        }
        if !KNOWN.contains(&name) {
            let hint = match OTHER_NAMES.iter().find(|(other, _)| *other == name) {
                Some((_, ours)) => format!("; here it is {ours}"),
                None => nearest::hint(name, KNOWN),
            };
            let name = if is_quotable { format!(" '{name}'") } else { String::new() };
            return Err(format!("unknown query parameter{name}{hint}"));
        }
        let value = decode(value, name)?;
        let bad = |wanted: &str| match is_quotable {
            true => Err(format!("{name}={value}: {wanted}")),
            false => Err(format!("{name}: {wanted}")),
        };
        match name {
            "heartbeat" => match value.parse() {
                Ok(seconds) => parameters.heartbeat = Some(seconds),
                Err(_) => return bad("not a number of seconds from 0 to 65535"),
            },
            "connection_timeout" => match value.parse::<u32>() {
                Ok(milliseconds) if milliseconds > 0 => {
                    let timeout = Duration::from_millis(u64::from(milliseconds));
                    parameters.connection_timeout = Some(timeout);
                }
                _ => return bad("not a number of milliseconds from 1"),
            },
            "cacertfile" => parameters.cacertfile = Some(value),
            "certfile" => parameters.certfile = Some(value),
            "keyfile" => parameters.keyfile = Some(value),
            "verify" => match value.as_str() {
                "verify_peer" => parameters.verify = Some(true),
                "verify_none" => parameters.verify = Some(false),
                _ => return bad("neither verify_peer nor verify_none"),
            },
            "server_name_indication" => parameters.server_name_indication = Some(value),
            _ => match value.to_ascii_lowercase().as_str() {
                "external" => parameters.external = true,
                "plain" => parameters.external = false,
                _ => return bad("neither plain nor external"),
            },
        }
    }
    Ok((parameters, ignored))
}

/// A path or a file's name keeps its slashes and dots in a query, for readability.
const QUERY_VALUE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'@')
    .add(b'+')
    .add(b'<')
    .add(b'>');
/// Letters, digits, dots and hyphens of a host name are not escaped.
const HOST: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');

impl fmt::Display for BrokerUrl {
    /// The URL with its password as `***`; otherwise it parses to the same value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.tls { "amqps://" } else { "amqp://" })?;
        if let Some(user) = &self.user {
            write!(f, "{}", utf8_percent_encode(user, NON_ALPHANUMERIC))?;
        }
        if self.password.is_some() {
            f.write_str(":***")?;
        }
        if self.user.is_some() || self.password.is_some() {
            f.write_str("@")?;
        }
        for (index, host) in self.hosts.iter().enumerate() {
            f.write_str(if index > 0 { "," } else { "" })?;
            if host.name.contains(':') {
                write!(f, "[{}]:{}", host.name, host.port)?;
            } else {
                write!(f, "{}:{}", utf8_percent_encode(&host.name, HOST), host.port)?;
            }
        }
        if let Some(vhost) = &self.vhost {
            write!(f, "/{}", utf8_percent_encode(vhost, NON_ALPHANUMERIC))?;
        }
        let mut separator = '?';
        for (name, value) in self.parameters.pairs() {
            write!(f, "{separator}{name}={}", utf8_percent_encode(&value, QUERY_VALUE))?;
            separator = '&';
        }
        Ok(())
    }
}

impl Parameters {
    /// The parameters that were written, by name.
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let verify = |verify: bool| if verify { "verify_peer" } else { "verify_none" };
        let pairs = [
            ("heartbeat", self.heartbeat.map(|seconds| seconds.to_string())),
            ("connection_timeout", self.connection_timeout.map(|t| t.as_millis().to_string())),
            ("cacertfile", self.cacertfile.clone()),
            ("certfile", self.certfile.clone()),
            ("keyfile", self.keyfile.clone()),
            ("verify", self.verify.map(|yes| verify(yes).to_owned())),
            ("server_name_indication", self.server_name_indication.clone()),
            ("auth_mechanism", self.external.then(|| "external".to_owned())),
        ];
        pairs.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

#[cfg(test)]
mod tests;
