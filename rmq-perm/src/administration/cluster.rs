//! The cluster, and its queues.

use super::text::Text;
use crate::queues::{Asked, Queue};
use rmq_common::failure::Failure;

/// The state of the cluster.
pub trait Cluster {
    fn cluster_status(&mut self) -> Result<Vec<Member>, Failure>;

    /// The name of the node that is asked.
    fn node_asked(&mut self) -> Result<Text, Failure>;

    /// Checks that the node asked has finished starting.
    ///
    /// # Errors
    /// It has not (75).
    fn require_started(&mut self) -> Result<(), Failure>;

    /// All queues of `vhost`, wherever their leaders are, and those that are down.
    fn list_queues(&mut self, vhost: &str, asked: Asked) -> Result<Vec<Queue>, Failure>;

    /// The consumers of the queues of `vhost`, on every node.
    fn list_consumers(&mut self, vhost: &str) -> Result<Vec<Consumer>, Failure>;
}

/// A consumer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Consumer {
    pub queue: Text,
    /// The name of its connection, if it is known.
    pub connection: Option<Text>,
    pub tag: Text,
    /// How many messages it may have unacknowledged; 0 means no limit.
    pub prefetch: u64,
    /// Whether it acknowledges messages; otherwise, a message is gone once it is sent.
    pub acknowledges: bool,
    /// Whether it receives messages now: another may be the single active consumer.
    pub active: bool,
    pub exclusive: bool,
}

/// A node that belongs to the cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    pub node: Text,
    pub state: NodeState,
    /// RabbitMQ's version, if the node answered.
    pub rabbitmq: Option<Text>,
    /// Erlang's version, if the node answered.
    pub erlang: Option<Text>,
    /// Whether it is in maintenance mode, in which it accepts no clients; `None` if unknown.
    pub draining: Option<bool>,
    /// `memory`, `disk`. Publishers are blocked meanwhile.
    pub alarms: Vec<Text>,
    /// The nodes it has been separated from.
    pub partitions: Vec<Text>,
    /// Where it can be reached.
    pub listeners: Vec<Listener>,
}

impl Member {
    /// A member of which only the state is known.
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
    /// `amqp`, `amqp/ssl`, `clustering`, `http`.
    pub protocol: Text,
    /// `::` or `0.0.0.0` for every address.
    pub address: Text,
    pub port: u64,
}

/// The state of a node, as the node asked sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeState {
    Running,
    /// The node is up, but RabbitMQ is not running on it (`rabbitmqctl stop_app`, or it is starting).
    Stopped,
    /// The node cannot be reached.
    Down,
}
