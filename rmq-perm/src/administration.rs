//! What can be asked of a broker, whichever way leads to it. The subcommands know this interface
//! alone; Erlang distribution is one way behind it.
//!
//! An error of these functions is the cause only (`no such user`); the subcommand adds what it was
//! about to do.

use rmq_common::failure::Failure;
use rmq_common::secret::Secret;
use serde_json::Value;

/// A name or pattern as the broker has it. Nearly always UTF-8, but nothing forces it.
pub type Text = Vec<u8>;

/// The broker's administration.
pub trait Administration {
    /// Adds a virtual host; that it exists already is no error.
    fn add_vhost(&mut self, vhost: &str) -> Result<Added, Failure>;

    /// The names of the virtual hosts.
    fn list_vhosts(&mut self) -> Result<Vec<Text>, Failure>;

    /// Adds a user without tags and permissions; that it exists already is an error (65).
    fn add_user(&mut self, user: &str, password: &Secret) -> Result<(), Failure>;

    /// The users.
    fn list_users(&mut self) -> Result<Vec<User>, Failure>;

    /// Gives `user` exactly these permissions on `vhost`, in place of those it had. Nothing is
    /// changed when the user (67), the virtual host or a pattern (65) is refused.
    fn set_permissions(
        &mut self,
        user: &str,
        vhost: &str,
        patterns: Patterns<&str>,
    ) -> Result<(), Failure>;

    /// Who has permissions on `vhost`.
    fn list_permissions(&mut self, vhost: &str) -> Result<Vec<Permission>, Failure>;

    /// The members of the cluster.
    fn cluster_status(&mut self) -> Result<Vec<Member>, Failure>;

    /// All queues of `vhost`, wherever they are led, and those that are down.
    fn list_queues(&mut self, vhost: &str) -> Result<Vec<Queue>, Failure>;
}

/// What came of adding something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is new.
    New,
    /// It was there before.
    Existed,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct User {
    /// The user's name.
    pub name: Text,
    /// What the user is, such as `administrator`.
    pub tags: Vec<Text>,
}

/// The three regular expressions of a permission, in the order in which RabbitMQ has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Patterns<T> {
    /// Names that may be declared and deleted.
    pub configure: T,
    /// Names that may be published to.
    pub write: T,
    /// Names that may be consumed from.
    pub read: T,
}

/// What a user may do on the virtual host in question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// The user's name.
    pub user: Text,
    /// To which names.
    pub patterns: Patterns<Text>,
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
    /// Erlang's release, of a node that could be asked.
    pub erlang: Option<Text>,
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

/// A queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    /// The queue's name.
    pub name: Text,
    /// `quorum`, `classic`, `stream`, or what a plugin calls its own.
    pub kind: Text,
    /// Messages, ready and unacknowledged; not known of a queue that is down.
    pub messages: Option<u64>,
    /// Consumers; not known of a queue that is down.
    pub consumers: Option<u64>,
    /// `running`, or what the broker says instead; `down` where nobody leads it.
    pub state: Text,
    /// The arguments it was declared with, as a JSON object.
    pub arguments: Value,
}
