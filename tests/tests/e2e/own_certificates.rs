//! Certificates that a broker has signed itself, files in formats other than PEM, and TLS that is
//! incompatible with ours: each has its own message with a remedy.

use rmq_tests::certificates::{Certificate, Valid};
use rmq_tests::secured::{Listener, secured};
use rmq_tests::tool::{Ended, Tool};
use rmq_tests::vhost::Vhost;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

const TOOLS: [&str; 3] = ["rmq-declare", "rmq-send", "rmq-recv"];

/// Runs a tool with these words and `q`; `--retry` is what it is by default.
fn run(tool: &str, words: &[&str]) -> Ended {
    let words = [words, if tool == "rmq-recv" { &["--drain", "q"] } else { &["q"] }].concat();
    Tool::new(tool).arguments(&words).run()
}

/// It failed with this status and message before it could have tried a second time.
#[track_caller]
fn expect_at_once(ended: Ended, status: i32, sentence: &str) {
    let ended = ended.expect(status).says(sentence);
    assert!(ended.took < Duration::from_secs(5), "{}: {:?}", ended.command, ended.took);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    for of_a_library in ["OtherError", "Other(", "KeyMismatch", "InvalidCharacter", "CaUsedAs"] {
        assert!(!ended.stderr.contains(of_a_library), "{}", ended.stderr);
    }
}

#[test]
fn a_certificate_that_the_broker_has_signed_itself_is_trusted_where_it_is_the_one_in_cacert() {
    let secured = secured();
    let vhost = Vhost::new(&secured.cluster);
    vhost.declare(&[], "q");
    let authority = &secured.authority;
    let (itself, other) = (authority.named("itself.pem"), authority.named("itself-other.pem"));
    let url = secured.url(Listener::SelfSigned, &vhost);
    for tool in TOOLS {
        run(tool, &["--cacert", &itself, "--url", &url]).expect(0);
        // Another self-signed one does not help.
        let sentence = "its certificate is an authority's own and not one that was trusted";
        expect_at_once(run(tool, &["--cacert", &other, "--url", &url]), 69, sentence);
        // And its names are checked.
        let url = secured.url(Listener::SelfSignedOther, &vhost);
        let sentence = "its certificate is for another name: broker.example";
        expect_at_once(run(tool, &["--cacert", &other, "--url", &url]), 69, sentence);
        let asked = format!("{url}?server_name_indication=broker.example");
        run(tool, &["--cacert", &other, "--url", &asked]).expect(0);
    }
    // One that was signed by an unknown authority works as well, if it is the broker's own.
    let url = secured.url(Listener::UnknownAuthority, &vhost);
    run("rmq-recv", &["--cacert", &authority.named("unknown.pem"), "--url", &url]).expect(0);
    let url = secured.url(Listener::Expired, &vhost);
    let words = ["--cacert", &authority.named("expired.pem"), "--url", &url];
    expect_at_once(run("rmq-recv", &words), 69, "its certificate has expired");
}

#[test]
fn a_certificate_of_version_one_and_a_broker_with_no_cipher_in_common_are_69_in_words() {
    let secured = secured();
    let vhost = Vhost::new(&secured.cluster);
    let old = secured.authority.named("version-one.pem");
    let mine = secured.authority.sign("mine-cipher", "mine", "DNS:mine", Valid::Now);
    for tool in TOOLS {
        let url = secured.url(Listener::VersionOne, &vhost);
        let sentence = "its certificate is one of X.509 version 1";
        expect_at_once(run(tool, &["--cacert", &old, "--url", &url]), 69, sentence);
        let url = secured.url(Listener::OldCipher, &vhost);
        let words = ["--cacert", &secured.authority.path(), "--url", &url];
        let sentence = "it has no TLS version or cipher in common with us";
        expect_at_once(run(tool, &words), 69, sentence);
        let shown = ["--cert", &mine.cert, "--key", &mine.key];
        expect_at_once(run(tool, &[&words[..], &shown].concat()), 69, sentence);
    }
}

#[test]
fn a_key_or_certificate_in_another_form_is_named_with_the_command_that_converts_it() {
    let secured = secured();
    let vhost = Vhost::new(&secured.cluster);
    vhost.declare(&[], "q");
    let authority = &secured.authority;
    let Certificate { cert, key } = authority.sign("forms", "forms", "DNS:forms", Valid::Now);
    let file = |name: &str| authority.named(name);
    let out = |name: &str, words: &[&str]| {
        authority.openssl(&[words, &["-out", &file(name)]].concat());
        file(name)
    };
    let pass = ["-passout", "pass:x"];
    let locked = out("locked.key", &[&["pkey", "-in", &key, "-aes256"][..], &pass].concat());
    let old = ["ec", "-in", &key, "-aes256", "-passout", "pass:x"];
    let locked_old = out("locked-old.key", &old);
    let der_key = out("key.der", &["pkey", "-in", &key, "-outform", "DER"]);
    let der = out("cert.der", &["x509", "-in", &cert, "-outform", "DER"]);
    let bundle = ["pkcs12", "-export", "-in", &cert, "-inkey", &key];
    let p12 = out("bundle.p12", &[&bundle[..], &pass].concat());
    let ssh = file("ssh.key");
    let words = ["-q", "-t", "ed25519", "-N", "", "-f", &ssh];
    let has_ssh = std::process::Command::new("ssh-keygen").args(words).status();
    if !has_ssh.is_ok_and(|status| status.success()) {
        // There is no ssh-keygen here: the first line is enough.
        let text = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";
        std::fs::write(&ssh, text).unwrap();
    }
    let old_cert = file("version-one.pem");
    let old_key = file("version-one.key");
    let empty = file("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let cut = file("cut.key");
    let whole = std::fs::read_to_string(&key).unwrap();
    std::fs::write(&cut, whole.split("-----END").next().unwrap()).unwrap();
    let other = authority.sign("forms-other", "other", "DNS:other", Valid::Now);
    let table: [(&str, &str, &str); 14] = [
        (&cert, &locked, "it has a passphrase (openssl pkey -in "),
        (&cert, &locked_old, "it has a passphrase (openssl pkey -in "),
        (&cert, &der_key, "it is in DER form (openssl pkey -inform DER -in "),
        (&der, &key, "it is in DER form (openssl x509 -inform DER -in "),
        (&cert, &p12, "it is a PKCS#12 file (openssl pkcs12 -nodes -nocerts -in "),
        (&p12, &key, "it is a PKCS#12 file (openssl pkcs12 -nokeys -in "),
        (&cert, &ssh, "it is in OpenSSH format (cp "),
        (&cert, &other.key, "the key does not belong to the certificate"),
        (&cert, &empty, "it is empty"),
        (&empty, &key, "it is empty"),
        (&cert, &cut, "it is cut off: its -----END line is missing"),
        (&cert, &cert, "it holds a certificate and no key"),
        (&key, &key, "it holds a key and no certificate"),
        (&old_cert, &old_key, "the certificate is one of X.509 version 1"),
    ];
    for (_, key, _) in table {
        std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let url = secured.url(Listener::Good, &vhost);
    let trusted = ["--url", &url, "--cacert", &authority.path()];
    for (cert, key, sentence) in table {
        let words = [&trusted[..], &["--cert", cert, "--key", key]].concat();
        for tool in TOOLS {
            expect_at_once(run(tool, &words), 78, sentence);
        }
    }
    for (cacert, sentence) in [
        (&der, "it is in DER form (openssl x509 -inform DER -in "),
        (&p12, "it is a PKCS#12 file"),
        (&empty, "it is empty"),
        (&key, "it holds a key and no certificate"),
    ] {
        expect_at_once(run("rmq-recv", &["--url", &url, "--cacert", cacert]), 78, sentence);
        let api = ["--api", "https://127.0.0.1:1", "--cacert", cacert, "list-vhosts"];
        expect_at_once(Tool::new("rmq-perm").arguments(&api).run(), 78, sentence);
    }
    // And the commands work.
    authority.openssl(&["pkey", "-inform", "DER", "-in", &der_key, "-out", &file("again.key")]);
    authority.openssl(&["x509", "-inform", "DER", "-in", &der, "-out", &file("again.pem")]);
    let (cert, key) = (file("again.pem"), file("again.key"));
    run("rmq-recv", &[&trusted[..], &["--cert", &cert, "--key", &key]].concat()).expect(0);
}
