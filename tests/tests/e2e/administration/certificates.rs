//! The management API with TLS.

use rmq_tests::brokers::release;
use rmq_tests::certificates::{Authority, Valid};
use rmq_tests::cluster::Cluster;
use rmq_tests::tool::{Ended, Tool};

#[test]
fn a_private_authority_is_trusted_when_named_and_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new(directory.path(), "authority");
    let stranger = Authority::new(directory.path(), "stranger");
    let good = authority.sign("good", "localhost", "IP:127.0.0.1", Valid::Now);
    let settings = [
        "management.ssl.port = @TLS_PORT@".to_owned(),
        "management.ssl.ip = 127.0.0.1".to_owned(),
        format!("management.ssl.cacertfile = {}", authority.path()),
        format!("management.ssl.certfile = {}", good.cert),
        format!("management.ssl.keyfile = {}", good.key),
    ];
    let mut options = vec!["--plugins", "rabbitmq_management"];
    options.extend(settings.iter().flat_map(|line| ["--config", line]));
    let cluster = Cluster::up_with(1, &release(), &options);
    let port = |name: &str| cluster.variable(&format!("RMQ_NODE1_{name}_PORT")).to_owned();
    let ask = |url: &str, words: &[&str]| -> Ended {
        Tool::new("rmq-perm").arguments(&["--api", url]).arguments(words).run()
    };
    let url = format!("https://127.0.0.1:{}", port("TLS"));
    let told = ask(&url, &["--cacert", &authority.path(), "list-vhosts"]).expect(0);
    assert_eq!(told.stdout, b"/\n");
    let untrusted = "its certificate is from an authority that is not trusted here (--cacert)";
    ask(&url, &["--cacert", &stranger.path(), "list-vhosts"]).expect(69).says(untrusted);
    ask(&url, &["list-vhosts"]).expect(69).says(untrusted);
    let other = format!("https://localhost:{}", port("TLS"));
    let told = ask(&other, &["--cacert", &authority.path(), "list-vhosts"]).expect(69);
    told.says("its certificate is for another name: 127.0.0.1");
    let plain = format!("http://127.0.0.1:{}", port("TLS"));
    ask(&plain, &["list-vhosts"]).expect(69).says(&format!("connect to {plain}: "));
    let amqp = format!("https://127.0.0.1:{}", port("AMQP"));
    ask(&amqp, &["--cacert", &authority.path(), "list-vhosts"]).expect(69).says("TLS");
    ask(&url, &["--cacert", "/nonexistent", "list-vhosts"]).expect(78).says("/nonexistent");
}
