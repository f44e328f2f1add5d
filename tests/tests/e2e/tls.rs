//! TLS: whose certificates are trusted, for which names, and the messages about those that are not.

use rmq_tests::brokers;
use rmq_tests::certificates::{Certificate, Valid};
use rmq_tests::secured::{Listener, OTHER_NAME, Secured, secured};
use rmq_tests::tool::{Ended, Tool};
use rmq_tests::vhost::Vhost;
use std::time::Duration;

const TOOLS: [&str; 3] = ["rmq-declare", "rmq-send", "rmq-recv"];

/// A vhost of the TLS broker with the queue `q`.
fn vhost(secured: &Secured) -> Vhost<'_> {
    let vhost = Vhost::new(&secured.cluster);
    vhost.declare(&[], "q");
    vhost
}

/// Runs a tool with these words and `q`; `--retry` is what it is by default.
fn run(tool: &str, words: &[&str]) -> Ended {
    let words = [words, if tool == "rmq-recv" { &["--drain", "q"] } else { &["q"] }].concat();
    Tool::new(tool).arguments(&words).run()
}

/// It failed with this status before it could have tried a second time.
#[track_caller]
fn expect_at_once(ended: Ended, status: i32) -> Ended {
    let ended = ended.expect(status);
    assert!(ended.took < Duration::from_secs(5), "{}: {:?}", ended.command, ended.took);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    ended
}

/// `--cert` and `--key`.
fn shown(certificate: &Certificate) -> [&str; 4] {
    ["--cert", &certificate.cert, "--key", &certificate.key]
}

#[test]
fn a_good_certificate_of_an_authority_named_by_cacert_is_all_every_tool_needs() {
    let secured = secured();
    let vhost = Vhost::new(&secured.cluster);
    let authority = secured.authority.path();
    let by_address = secured.url(Listener::Good, &vhost);
    let by_name = by_address.replace("127.0.0.1", "localhost");
    for url in [by_address, by_name, format!("{}?verify=verify_peer", vhost_url(&vhost))] {
        let words = ["--cacert", &authority, "--url", &url];
        run("rmq-declare", &words).expect(0);
        let send = Tool::new("rmq-send").arguments(&words).arguments(&["q"]);
        send.input(*b"Hello World!\n").run().expect(0);
        let received = run("rmq-recv", &words).expect(0);
        assert_eq!(received.stdout, b"Hello World!\n", "{url}");
        assert!(received.stderr.is_empty(), "{}", received.stderr);
    }
    let in_url = format!("{}?cacertfile={authority}", vhost_url(&vhost));
    let ended = run("rmq-declare", &["-v", "--url", &in_url]).expect(0);
    ended.says(", heartbeat 10 s, TLS 1.3, certified by ");
}

fn vhost_url(vhost: &Vhost<'_>) -> String {
    secured().url(Listener::Good, vhost)
}

#[test]
fn without_cacert_only_the_systems_authorities_are_trusted() {
    let secured = secured();
    let vhost = vhost(secured);
    let url = secured.url(Listener::Good, &vhost);
    for tool in TOOLS {
        let refused = expect_at_once(run(tool, &["--url", &url]), 69);
        refused.says(&format!(
            "connect to {}: its certificate is from an authority that is not trusted here \
             (--cacert)",
            secured.host(Listener::Good)
        ));
    }
}

#[test]
fn an_expired_a_misnamed_and_an_unknown_certificate_are_each_refused_at_once_by_its_own_sentence() {
    let secured = secured();
    let vhost = vhost(secured);
    let authority = secured.authority.path();
    let table = [
        (Listener::Expired, "its certificate has expired"),
        (
            Listener::WrongName,
            "its certificate is for another name: broker.example \
             (server_name_indication=NAME asks for one)",
        ),
        (
            Listener::UnknownAuthority,
            "its certificate is from an authority that is not trusted here (--cacert)",
        ),
    ];
    for (listener, sentence) in table {
        let url = secured.url(listener, &vhost);
        let host = secured.host(listener);
        for tool in TOOLS {
            let refused = run(tool, &["--cacert", &authority, "--url", &url]);
            let refused = expect_at_once(refused, 69);
            assert_eq!(refused.stderr, format!("{tool}: connect to {host}: {sentence}\n"));
        }
    }
}

#[test]
fn another_host_of_the_list_with_a_good_certificate_is_taken_in_place_of_a_bad_one() {
    let secured = secured();
    let vhost = vhost(secured);
    let (expired, good) = (secured.host(Listener::Expired), secured.host(Listener::Good));
    let both = secured.url(Listener::Expired, &vhost);
    let both = both.replace(&expired, &format!("{expired},{good}"));
    run("rmq-recv", &["--cacert", &secured.authority.path(), "--url", &both]).expect(0);
}

#[test]
fn server_name_indication_says_which_name_the_certificate_must_have() {
    let secured = secured();
    let vhost = vhost(secured);
    let authority = secured.authority.path();
    for (listener, status) in [(Listener::WrongName, 0), (Listener::Good, 69)] {
        let url = secured.url(listener, &vhost);
        let url = format!("{url}?server_name_indication={OTHER_NAME}");
        run("rmq-recv", &["--cacert", &authority, "--url", &url]).expect(status);
    }
}

#[test]
fn verify_none_takes_any_certificate_and_warns_of_it() {
    let secured = secured();
    let vhost = vhost(secured);
    for listener in [Listener::Expired, Listener::WrongName, Listener::UnknownAuthority] {
        let url = format!("{}?verify=verify_none", secured.url(listener, &vhost));
        for tool in TOOLS {
            let done = run(tool, &["--url", &url]).expect(0);
            let warning =
                format!("{tool}: verify=verify_none: the broker's certificate is not checked\n");
            assert!(done.stderr.starts_with(&warning), "{}", done.stderr);
            let quiet = run(tool, &["--quiet", "--url", &url]).expect(0);
            assert!(!quiet.stderr.contains("verify_none"), "{}", quiet.stderr);
        }
    }
}

#[test]
fn a_client_certificate_the_broker_asks_for_and_is_not_shown_is_77_every_time() {
    let secured = secured();
    let vhost = vhost(secured);
    let authority = secured.authority.path();
    for listener in [Listener::Mutual, Listener::Mutual12] {
        let url = secured.url(listener, &vhost);
        let words = ["--cacert", &authority, "--url", &url];
        // Under TLS 1.3 the refusal comes after our side has finished the handshake, with a reset
        // that may be seen first, especially on a busy machine.
        std::thread::scope(|scope| {
            for tool in TOOLS {
                scope.spawn(move || {
                    for _ in 0..20 {
                        let refused = expect_at_once(run(tool, &words), 77);
                        let refused = refused.says("the broker asks for a client certificate");
                        refused.says("(--cert and --key)");
                    }
                });
            }
        });
    }
}

#[test]
fn a_client_certificate_of_an_unknown_authority_is_77_and_a_good_one_is_taken() {
    let secured = secured();
    let vhost = vhost(secured);
    let authority = secured.authority.path();
    let unknown = secured.stranger.sign("client-unknown", "subro", "DNS:subro", Valid::Now);
    let expired = secured.authority.sign("client-expired", "subro", "DNS:subro", Valid::Past);
    let good = secured.authority.sign("client-good", "subro", "DNS:subro", Valid::Now);
    for listener in [Listener::Mutual, Listener::Mutual12] {
        let url = secured.url(listener, &vhost);
        let words = ["--cacert", &authority, "--url", &url];
        for tool in TOOLS {
            let with = |certificate| run(tool, &[&words[..], &shown(certificate)].concat());
            let refused = expect_at_once(with(&unknown), 77);
            refused.says("the broker refused our client certificate: it does not know the");
            let refused = expect_at_once(with(&expired), 77);
            refused.says("the broker refused our client certificate: it has expired");
            with(&good).expect(0);
        }
    }
}

#[test]
fn a_port_that_speaks_the_other_protocol_is_told_as_such_at_once() {
    let secured = secured();
    let vhost = vhost(secured);
    let (tls, plain) = (secured.url(Listener::Good, &vhost), vhost.url());
    let (tls, plain) = (tls.replace("amqps:", "amqp:"), plain.replace("amqp:", "amqps:"));
    for tool in TOOLS {
        let refused = expect_at_once(run(tool, &["--url", &tls]), 69);
        refused.says("it speaks TLS there (amqps://)");
        let refused = expect_at_once(run(tool, &["--url", &plain]), 69);
        refused.says("it does not speak TLS there (amqp://)");
    }
}

#[test]
fn auth_mechanism_external_where_it_is_not_offered_is_77_and_told_at_once() {
    let secured = secured();
    let vhost = vhost(secured);
    let url = format!("{}?auth_mechanism=external", Vhost::new(brokers::one()).url());
    for tool in TOOLS {
        let refused = expect_at_once(run(tool, &["--url", &url]), 77);
        refused.says("it does not offer EXTERNAL");
        // The mechanism is offered, but no certificate is presented.
        let url = format!("{}?auth_mechanism=external", secured.url(Listener::Good, &vhost));
        let refused = run(tool, &["--cacert", &secured.authority.path(), "--url", &url]);
        expect_at_once(refused, 77);
    }
}

#[test]
fn auth_mechanism_external_logs_in_as_the_certificates_common_name() {
    let secured = secured();
    let vhost = vhost(secured);
    let authority = secured.authority.path();
    let names = format!("DNS:{}", vhost.name);
    let mine = secured.authority.sign("client-external", &vhost.name, &names, Valid::Now);
    let nobody = secured.authority.sign("client-nobody", "nobody", "DNS:nobody", Valid::Now);
    // Neither a user nor a password: the certificate is enough.
    let host = secured.host(Listener::Mutual);
    let url = format!("amqps://{host}/{}?auth_mechanism=external", vhost.name);
    let words = ["--cacert", &authority, "--url", &url];
    for tool in TOOLS {
        run(tool, &[&words[..], &shown(&mine)].concat()).expect(0);
        let refused = run(tool, &[&words[..], &shown(&nobody)].concat()).expect(77);
        refused.says(&format!("log in to {host} as the client certificate's user: "));
    }
    let sending = Tool::new("rmq-send").arguments(&words).arguments(&shown(&mine));
    let sending = sending.arguments(&["q"]).open_input().start();
    assert_eq!(vhost.connection_of(sending.pid()).user, vhost.name);
    sending.finish().expect(0);
}

#[test]
fn files_that_do_not_serve_are_named() {
    let secured = secured();
    let vhost = vhost(secured);
    let url = secured.url(Listener::Good, &vhost);
    let url = format!("{url}?cacertfile={}", secured.authority.path());
    let one = secured.authority.sign("client-one", "one", "DNS:one", Valid::Now);
    let two = secured.authority.sign("client-two", "two", "DNS:two", Valid::Now);
    let table: [(&[&str], i32, &str); 6] = [
        (&["--cacert", "/nowhere.pem"], 78, "/nowhere.pem: No such file or directory"),
        (&["--cacert", &one.key], 78, &one.key),
        (&["--cert", &one.cert], 64, "--key"),
        (&["--key", &one.key], 64, "--cert"),
        (&["--cert", &one.cert, "--key", "/nowhere.key"], 78, "/nowhere.key: No such file"),
        (&["--cert", &one.cert, "--key", &two.key], 78, &two.key),
    ];
    for (words, status, sentence) in table {
        let words = [&["--url", &url][..], words].concat();
        for tool in TOOLS {
            expect_at_once(run(tool, &words), status).says(sentence);
        }
    }
}
