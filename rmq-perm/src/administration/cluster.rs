//! The cluster, and its queues.

use super::text::Text;
use crate::queues::Queue;
use rmq_common::failure::Failure;

/// The state of the cluster.
pub trait Cluster {
    fn cluster_status(&mut self) -> Result<Vec<Member>, Failure>;

    /// All queues of `vhost`, wherever their leaders are, and those that are down; with what they
    /// were declared with if `declared`.
    fn list_queues(&mut self, vhost: &str, declared: bool) -> Result<Vec<Queue>, Failure>;
}

/// A node that belongs to the cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// The node's name.
    pub node: Text,
    /// How it is.
    pub state: NodeState,
    /// RabbitMQ's version, of a node that could be asked.
    pub rabbitmq: Option<Text>,
    /// Erlang's version, of a node that could be asked.
    pub erlang: Option<Text>,
    /// Whether it is in maintenance mode, and so lets no client in; not always known.
    pub draining: Option<bool>,
    /// What it is short of: `memory`, `disk`. Publishers are blocked meanwhile.
    pub alarms: Vec<Text>,
    /// The nodes it has been parted from.
    pub partitions: Vec<Text>,
    /// Where it can be reached.
    pub listeners: Vec<Listener>,
}

impl Member {
    /// A member of which no more is known than how it is.
    pub fn new(node: Text, state: NodeState) -> Self {
        Member {
            node,
            state,
            rabbitmq: None,
            erlang: None,
            draining: None,
            alarms: Vec::new(),
            partitions: Vec::new(),
            listeners: Vec::new(),
        }
    }
}

/// Where a node can be reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener {
    /// What it speaks there: `amqp`, `amqp/ssl`, `clustering`, `http`.
    pub protocol: Text,
    /// The address, `::` or `0.0.0.0` for every address.
    pub address: Text,
    /// The port.
    pub port: u64,
}

/// How a node is, as the node asked sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeState {
    /// RabbitMQ runs.
    Running,
    /// The node is up, but RabbitMQ does not run on it (`rabbitmqctl stop_app`, or it is starting).
    Stopped,
    /// The node cannot be reached.
    Down,
}
