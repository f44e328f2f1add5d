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
mod tests {
    use super::*;
    use proptest::option;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<BrokerUrl, String> {
        text.parse()
    }

    #[test]
    fn no_path_and_a_lone_slash_leave_the_virtual_host_unsaid() {
        assert_eq!(parse("amqp://h").unwrap().vhost, None);
        assert_eq!(parse("amqp://h/").unwrap().vhost, None);
        assert_eq!(parse("amqp://h/%2F").unwrap().vhost.as_deref(), Some("/"));
        assert_eq!(parse("amqp://h/%2Ftestvhost").unwrap().vhost.as_deref(), Some("/testvhost"));
        assert!(parse("amqp://h//testvhost").unwrap_err().contains("--vhost"));
    }

    #[test]
    fn several_hosts_each_have_a_port_and_ipv6_has_brackets() {
        let url = parse("amqp://u:p@h1,h2:5673,[::1],[fe80::1]:5674/v").unwrap();
        let hosts: Vec<String> = url.hosts.iter().map(Host::to_string).collect();
        assert_eq!(hosts, ["h1:5672", "h2:5673", "[::1]:5672", "[fe80::1]:5674"]);
        assert_eq!(parse("amqps://h").unwrap().hosts[0].port, 5671);
        for wrong in ["amqp://::1", "amqp://[::1", "amqp://[h]", "amqp://h:0", "amqp://h:65536"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_password_may_hold_anything_and_is_never_shown() {
        let url = parse("amqp://me:p%40ss%2Fw%C3%B6rd@h").unwrap();
        assert_eq!(url.password.as_ref().map(Secret::reveal), Some("p@ss/wörd"));
        assert_eq!(url.to_string(), "amqp://me:***@h:5672");
        assert!(!format!("{url:?}").contains("p@ss"));
        let problem = parse("http://me:secret@h").unwrap_err();
        assert!(!problem.contains("secret"), "{problem}");
    }

    #[test]
    fn a_password_that_ends_the_authority_too_early_is_not_quoted() {
        for url in ["amqp://me:hun/ter2@h", "amqp://me:12?s3cret@h/v", "amqp://me:12/s3@h"] {
            let problem = parse(url).unwrap_err();
            assert!(problem.contains("%2F"), "{problem}");
            for part in ["hun", "ter2", "12", "s3"] {
                assert!(!problem.contains(part), "{problem}");
            }
        }
    }

    #[test]
    fn what_may_be_a_password_is_neither_quoted_nor_taken_for_a_host() {
        for url in [
            "amqp://bob:S3cr3t-P4ss",
            "amqp://bob:S3cr3t/P4ss",
            "amqp://bob:1,S3cr3t",
            "amqp://bob:1,S3cr3t:P4ss",
            "amqp://bob:1/v?S3cr3t=P4ss",
            "amqp://bob:1/v?heartbeat=S3cr3t",
            "amqp://guest:pw@S3cr3t/w0rd@h",
            "amqp://guest:pw@S3cr3t@h",
            "amqp://guest:p/w@h?cacertfile=S3cr3t@h",
            "amqp://bob:99999S3cr3t",
            "amqp://bob:[S3cr3t",
            "amqp://[S3cr3t]:P4ss",
            "amqp://[::1]S3cr3t",
            "amqp://S3cr3t:P4ss:1",
            "amqp://S3cr3t!@h@h",
            "amqp://S3cr3t!h",
            "amqp://bob:S3cr3t\r",
        ] {
            let problem = parse(url).unwrap_err();
            for part in ["S3cr3t", "P4ss", "99999", "w0rd"] {
                assert!(!problem.contains(part), "{url}: {problem}");
            }
        }
        // A port for each, or a user before them: then nothing is a password.
        for url in ["amqp://h1:1,h2:2", "amqp://h1,h2:2", "amqp://@h1:1,h2", "amqp://u@h1:1,h2"] {
            assert!(parse(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_shown() {
        for (url, shown) in [
            ("amqp://h/v\r", "\\r"),
            ("amqp://h/v\n", "\\n"),
            ("amqp://h\t/v", "\\t"),
            (" amqp://h", "begins with a blank"),
            ("amqp://h/v ", "ends with a blank"),
        ] {
            assert!(parse(url).unwrap_err().contains(shown), "{url:?}");
        }
        assert_eq!(parse("amqp://u:a b@h/my vhost").unwrap().vhost.as_deref(), Some("my vhost"));
    }

    #[test]
    fn what_other_clients_take_in_a_url_is_known_and_ignored() {
        let url =
            "amqp://h/v?channel_max=10&heartbeat=5&connection_attempts=3&frame_max=1&frame_max=2";
        let url = parse(url).unwrap();
        assert_eq!(url.ignored, ["channel_max", "connection_attempts", "frame_max"]);
        assert_eq!(url.parameters.heartbeat, Some(5));
        let problem = parse("amqps://h?cafile=x").unwrap_err();
        assert!(problem.ends_with("'cafile'; here it is cacertfile"), "{problem}");
    }

    #[test]
    fn an_unknown_or_wrong_parameter_is_named() {
        assert!(parse("amqp://h?hartbeat=5").unwrap_err().contains("'hartbeat'"));
        assert!(parse("amqp://h?heartbeat=5s").unwrap_err().contains("heartbeat=5s"));
        assert!(parse("amqp://h?verify=no").unwrap_err().contains("verify_peer"));
        let parameters = parse("amqp://h/?heartbeat=5&connection_timeout=1500").unwrap().parameters;
        assert_eq!(parameters.heartbeat, Some(5));
        assert_eq!(parameters.connection_timeout, Some(Duration::from_millis(1500)));
    }

    fn host() -> impl Strategy<Value = Host> {
        let name = prop_oneof![
            "[a-z0-9ä]([a-z0-9._-]{0,9})",
            any::<std::net::Ipv6Addr>().prop_map(|address| address.to_string()),
        ];
        (name, 1u16..).prop_map(|(name, port)| Host { name, port })
    }

    fn parameters() -> impl Strategy<Value = Parameters> {
        let file = || option::of(".{1,12}");
        (
            option::of(any::<u16>()),
            option::of(1u32..),
            file(),
            file(),
            file(),
            any::<bool>(),
            file(),
        )
            .prop_map(|(heartbeat, timeout, cacertfile, certfile, keyfile, yes, name)| {
                Parameters {
                    heartbeat,
                    connection_timeout: timeout.map(|t| Duration::from_millis(u64::from(t))),
                    cacertfile,
                    certfile,
                    keyfile,
                    verify: yes.then_some(!yes),
                    server_name_indication: name,
                    external: yes,
                }
            })
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back_as_the_same_but_for_the_password(
            tls: bool,
            user in option::of(".{1,12}"),
            password in option::of(".{0,12}"),
            hosts in proptest::collection::vec(host(), 1..4),
            vhost in option::of(".{1,12}"),
            parameters in parameters(),
        ) {
            let url = BrokerUrl {
                tls, user, password: password.map(Secret::new), hosts, vhost, parameters,
                ignored: Vec::new(),
            };
            let read = parse(&url.to_string());
            let redacted =
                BrokerUrl { password: url.password.as_ref().map(|_| Secret::new("***")), ..url };
            prop_assert_eq!(read, Ok(redacted));
        }

        /// A password anywhere but where it belongs, with parts of the URL missing, doubled or in
        /// another order. What is taken for a host, a user or a virtual host can be shown, because
        /// it is one; what is told of a URL that is none shows no part of it.
        #[test]
        fn no_part_of_a_password_is_told_of_a_url_that_is_none(
            password in "[A-Z0-9][A-Z0-9@:/?#,%\\[\\]&= !$+-]{2,8}[A-Z0-9]",
            parts in proptest::collection::vec(
                prop::sample::select(vec![
                    "amqp://", "amqps://", "AMQP://", "bob", ":", "@", "h", "/", "v", "?", "&",
                    "heartbeat", "=", "5", ",", "[::1]", "5672", "#", "%2F", "\r", " ", "PW",
                ]),
                0..12,
            ),
            at in any::<prop::sample::Index>(),
            scheme in any::<bool>(),
        ) {
            let mut parts = parts;
            parts.insert(at.index(parts.len() + 1), "PW");
            let text = parts.concat().replace("PW", &password);
            let text = if scheme { format!("amqp://bob:{text}") } else { text };
            // Where a name is quotable, it is one of the query's, behind an @ or no password.
            let authority = text.split("://").nth(1).unwrap_or_default();
            let authority = authority.split(['/', '?']).next().unwrap_or_default();
            let quotable = authority.contains('@') || !authority.contains(':');
            if let (Err(problem), false) = (parse(&text), quotable) {
                for part in password.split(|c: char| !c.is_ascii_alphanumeric()) {
                    prop_assert!(part.len() < 3 || !problem.contains(part), "{text}: {problem}");
                }
            }
        }

        #[test]
        fn any_text_gives_a_url_or_a_sentence(text in ".{0,60}") {
            let _ = parse(&text);
            let _ = parse(&format!("amqp://{text}"));
        }
    }
}
