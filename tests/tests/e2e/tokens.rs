//! OAuth 2 tokens as passwords: one that is replaced in time does not expire during a connection.

use rmq_tests::brokers::release;
use rmq_tests::cluster::Cluster;
use rmq_tests::tool::Tool;
use rmq_tests::wait::wait_until;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// The signing key of the tokens: as a text, and as a key of the broker.
const KEY: &str = "secretsecretsecretsecretsecretsecret";
const SHARED: &str = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";

/// A broker that accepts tokens, and checks every half second whether they are still valid.
fn broker() -> Cluster {
    let settings = [
        "auth_backends.1 = rabbit_auth_backend_internal",
        "auth_backends.2 = rabbit_auth_backend_oauth2",
        "auth_oauth2.resource_server_id = rabbitmq",
    ];
    let settings = settings.iter().flat_map(|line| ["--config", line]);
    let options: Vec<_> =
        ["--plugins", "rabbitmq_auth_backend_oauth2"].into_iter().chain(settings).collect();
    let cluster = Cluster::up_with(1, &release(), &options);
    cluster.erlang(&format!(
        "begin application:set_env(rabbit, channel_tick_interval, 500), \
         application:set_env(rabbitmq_auth_backend_oauth2, key_config, [{{default_key, <<\"k\">>}}, \
         {{signing_keys, #{{<<\"k\">> => {{map, #{{<<\"kty\">> => <<\"oct\">>, \
         <<\"alg\">> => <<\"HS256\">>, <<\"k\">> => <<\"{SHARED}\">>}}}}}}}}]), \"\" end"
    ));
    cluster
}

/// Writes a token to `file` that is valid until then.
fn put_token(file: &Path, end: SystemTime) {
    let end = end.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let script = format!(
        r#"b64() {{ openssl base64 -A | tr '+/' '-_' | tr -d '='; }}
        all='"rabbitmq.read:*/*","rabbitmq.write:*/*","rabbitmq.configure:*/*"'
        head=$(printf '{{"alg":"HS256","kid":"k","typ":"JWT"}}' | b64)
        claims=$(printf '{{"aud":["rabbitmq"],"sub":"me","scope":[%s],"exp":{end}}}' "$all" | b64)
        sum=$(printf %s "$head.$claims" | openssl dgst -sha256 -hmac {KEY} -binary | b64)
        umask 077; echo "$head.$claims.$sum" > token.new; mv token.new '{}'"#,
        file.display()
    );
    Tool::shell(file.parent().unwrap(), &script).run().expect(0);
}

#[test]
fn a_connection_outlives_the_token_it_began_with_if_the_file_has_a_new_one_in_time() {
    let cluster = broker();
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("token");
    let url = format!("amqp://me@{}", cluster.hosts());
    let tool = |name: &str, words: &[&str]| {
        let login = ["-v", "-u", &url, "--password-file", token.to_str().unwrap()];
        Tool::new(name).arguments(&login).arguments(words)
    };
    let end = SystemTime::now() + Duration::from_secs(8);
    put_token(&token, end);
    tool("rmq-declare", &["logs"]).run().expect(0);
    let mut sending = tool("rmq-send", &["logs"]).open_input().start();
    let receiving = tool("rmq-recv", &["logs"]).start();
    sending.write(b"before\n");
    receiving.wait_stdout("before\n".len());
    put_token(&token, end + Duration::from_secs(300));
    for running in [&sending, &receiving] {
        running.wait_stderr("giving the broker the new token");
    }
    wait_until(Duration::from_secs(20), "the end of the first token", || {
        SystemTime::now() > end + Duration::from_secs(2)
    });
    sending.write(b"after\n");
    receiving.wait_stdout("before\nafter\n".len());
    sending.end_input();
    let sent = sending.finish().expect(0);
    for text in [sent.stderr, receiving.stderr()] {
        assert!(!text.contains("lost the connection"), "{text}");
    }
    let secret = fs::read_to_string(&token).unwrap();
    let signature = secret.trim().rsplit('.').next().unwrap();
    assert!(!receiving.stderr().contains(signature));
}
