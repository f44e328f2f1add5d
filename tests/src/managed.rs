//! A broker with the management plugin, and rmq-perm over each of its two transports.

use crate::brokers::release;
use crate::cluster::Cluster;
use crate::tool::Tool;
use std::sync::OnceLock;

/// The options of `scripts/cluster up` for the plugin.
pub const MANAGEMENT: [&str; 2] = ["--plugins", "rabbitmq_management"];

/// A transport of rmq-perm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Erlang distribution.
    Distribution,
    /// The management HTTP API.
    Http,
}

/// Both.
pub const WAYS: [Way; 2] = [Way::Distribution, Way::Http];

/// One node with the plugin, which no test stops.
pub fn managed() -> &'static Cluster {
    static MANAGED: OnceLock<Cluster> = OnceLock::new();
    MANAGED.get_or_init(|| Cluster::up_with(1, &release(), &MANAGEMENT))
}

impl Way {
    /// rmq-perm, configured for this transport to the cluster's first node.
    pub fn perm(self, cluster: &Cluster) -> Tool {
        match self {
            Way::Distribution => Tool::new("rmq-perm")
                .environment("RABBITMQ_NODENAME", cluster.variable("RABBITMQ_NODENAME"))
                .environment("ERL_EPMD_PORT", cluster.variable("ERL_EPMD_PORT"))
                .arguments(&["--cookie-file", cluster.variable("RMQ_COOKIE_FILE")]),
            Way::Http => {
                let url = format!("http://guest:guest@{}", http_address(cluster));
                Tool::new("rmq-perm").environment("RABBITMQ_API_URL", &url)
            }
        }
    }

    /// A word for names, so that the two transports do not collide.
    pub fn name(self) -> &'static str {
        match self {
            Way::Distribution => "dist",
            Way::Http => "http",
        }
    }
}

/// The address of the first node's API.
pub fn http_address(cluster: &Cluster) -> String {
    format!("127.0.0.1:{}", cluster.variable("RMQ_NODE1_HTTP_PORT"))
}
