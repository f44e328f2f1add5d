//! A broker with TLS: one node whose listeners, on loopback addresses, present different
//! certificates.

use crate::brokers::release;
use crate::certificates::{Authority, Certificate, Valid};
use crate::cluster::Cluster;
use crate::vhost::{PASSWORD, Vhost};
use std::sync::OnceLock;

/// The broker and the certificates.
#[derive(Debug)]
pub struct Secured {
    /// Its one node.
    pub cluster: Cluster,
    /// The authority that signed the good certificates.
    pub authority: Authority,
    /// An authority that the broker and its clients do not know.
    pub stranger: Authority,
}

/// A listener; its number is the last part of its loopback address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// Its certificate is good.
    Good = 1,
    /// Its certificate has expired.
    Expired,
    /// Its certificate is for [`OTHER_NAME`].
    WrongName,
    /// Its certificate is signed by an unknown authority.
    UnknownAuthority,
    /// It requires a certificate from the client, too.
    Mutual,
    /// The same with TLS 1.2 only.
    Mutual12,
    /// Its certificate is its own authority.
    SelfSigned,
    /// Its certificate is its own authority, for [`OTHER_NAME`].
    SelfSignedOther,
    /// Its certificate is of X.509 version 1.
    VersionOne,
    /// It uses TLS 1.2 only, with an obsolete cipher.
    OldCipher,
}

/// The name in the certificate of [`Listener::WrongName`].
pub const OTHER_NAME: &str = "broker.example";

/// The names in the good certificates.
const NAMES: &str =
    "DNS:localhost,IP:127.0.0.1,IP:127.0.0.2,IP:127.0.0.4,IP:127.0.0.5,IP:127.0.0.6";

/// The broker of all TLS tests, started when the first of them needs it.
pub fn secured() -> &'static Secured {
    static SECURED: OnceLock<Secured> = OnceLock::new();
    SECURED.get_or_init(Secured::up)
}

impl Secured {
    fn up() -> Self {
        let settings = [
            // EXTERNAL is refused without this in the file.
            "ssl_options.verify = verify_peer",
            "ssl_cert_login_from = common_name",
            "auth_mechanisms.1 = EXTERNAL",
            "auth_mechanisms.2 = PLAIN",
        ];
        let settings = settings.iter().flat_map(|line| ["--config", line]);
        let options = ["--plugins", "rabbitmq_auth_mechanism_ssl"].into_iter().chain(settings);
        let cluster = Cluster::up_with(1, &release(), &options.collect::<Vec<_>>());
        // They are removed with the cluster.
        let directory = cluster.directory().join("certificates");
        std::fs::create_dir(&directory).expect("make a directory");
        let authority = Authority::new(&directory, "authority");
        let stranger = Authority::new(&directory, "stranger");
        let secured = Secured { cluster, authority, stranger };
        let good = secured.authority.sign("good", "localhost", NAMES, Valid::Now);
        let expired = secured.authority.sign("expired", "localhost", NAMES, Valid::Past);
        let other = format!("DNS:{OTHER_NAME}");
        let wrong = secured.authority.sign("wrong", OTHER_NAME, &other, Valid::Now);
        let unknown = secured.stranger.sign("unknown", "localhost", NAMES, Valid::Now);
        secured.listen(Listener::Good, &good, "");
        secured.listen(Listener::Expired, &expired, "");
        secured.listen(Listener::WrongName, &wrong, "");
        secured.listen(Listener::UnknownAuthority, &unknown, "");
        let mutual = ", {verify, verify_peer}, {fail_if_no_peer_cert, true}";
        secured.listen(Listener::Mutual, &good, mutual);
        let mutual = format!("{mutual}, {{versions, ['tlsv1.2']}}");
        secured.listen(Listener::Mutual12, &good, &mutual);
        let itself = secured.authority.self_signed("itself", "IP:127.0.0.7");
        secured.listen(Listener::SelfSigned, &itself, "");
        let itself = secured.authority.self_signed("itself-other", &other);
        secured.listen(Listener::SelfSignedOther, &itself, "");
        let old = secured.authority.version_one("version-one");
        secured.listen(Listener::VersionOne, &old, "");
        let cipher = ", {versions, ['tlsv1.2']}, \
                      {ciphers, [#{key_exchange => ecdhe_ecdsa, cipher => aes_128_cbc, \
                      mac => sha, prf => default_prf}]}";
        secured.listen(Listener::OldCipher, &good, cipher);
        secured
    }

    /// Opens a listener at run time, because a configuration file has one certificate for all of
    /// them.
    fn listen(&self, listener: Listener, certificate: &Certificate, more: &str) {
        let (number, port) = (listener as u8, self.port());
        let (authority, Certificate { cert, key }) = (self.authority.path(), certificate);
        self.cluster.erlang(&format!(
            "begin rabbit_networking:ensure_ssl(), ok = \
             rabbit_networking:start_ssl_listener({{\"127.0.0.{number}\", {port}}}, \
             [{{cacertfile, \"{authority}\"}}, {{certfile, \"{cert}\"}}, {{keyfile, \"{key}\"}}\
             {more}], 2), \"\" end"
        ));
    }

    fn port(&self) -> &str {
        self.cluster.variable("RMQ_NODE1_TLS_PORT")
    }

    /// A listener's address, as the tools name it.
    pub fn host(&self, listener: Listener) -> String {
        format!("127.0.0.{}:{}", listener as u8, self.port())
    }

    /// The URL of `vhost` through a listener, with the vhost's user.
    pub fn url(&self, listener: Listener, vhost: &Vhost<'_>) -> String {
        let (name, host) = (&vhost.name, self.host(listener));
        format!("amqps://{name}:{PASSWORD}@{host}/{name}")
    }
}
