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
    // With a port for each, or a user before them, nothing is a password.
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
    let url = "amqp://h/v?channel_max=10&heartbeat=5&connection_attempts=3&frame_max=1&frame_max=2";
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
    (option::of(any::<u16>()), option::of(1u32..), file(), file(), file(), any::<bool>(), file())
        .prop_map(|(heartbeat, timeout, cacertfile, certfile, keyfile, yes, name)| Parameters {
            heartbeat,
            connection_timeout: timeout.map(|t| Duration::from_millis(u64::from(t))),
            cacertfile,
            certfile,
            keyfile,
            verify: yes.then_some(!yes),
            server_name_indication: name,
            external: yes,
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

    /// A password anywhere but in its place, with parts of the URL missing, doubled or in another
    /// order. What is parsed as a host, a user or a virtual host can be shown, because it is one;
    /// an error about an invalid URL shows no part of it.
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
        // A name that is quotable is one from the query, after an @ or without a password.
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
