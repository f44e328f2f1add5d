//! What can be asked of a broker, over either transport. The subcommands know only this interface.
//!
//! Unless stated otherwise, a function that names a user or a virtual host ends with 67 if there is
//! no such user, and otherwise with 65 if there is no such virtual host, whatever the broker's
//! release does by itself. In these cases, and after any other refusal, nothing has been changed.
//! If no answer comes (75), it is unknown whether something was changed.
//!
//! An error of these functions is only the cause (`no such user`); the subcommand adds the rest.

mod cluster;
mod connections;
mod limits;
mod one_by_one;
mod permissions;
mod rule;
pub mod text;
mod topic_permissions;
mod topology;
mod users;
mod vhosts;

pub use cluster::{Cluster, Consumer, Listener, Member, NodeState};
pub use connections::{Connection, Connections, peer};
pub use limits::{Holder, Limited, Limits, LimitsChange};
pub use one_by_one::one_by_one;
pub use permissions::{Grant, Operation, Patterns, Permission, Permissions, Scope};
pub use rule::{Kind, Rule, Subject};
pub use text::Text;
pub use topic_permissions::{TopicGrant, TopicPatterns, TopicPermission, TopicPermissions};
pub use topology::{Binding, Exchange, Topology};
pub use users::{Password, User, Users};
pub use vhosts::{Vhost, VhostChange, VhostTraits, Vhosts};

/// The broker's administration: a trait for each subject.
pub trait Administration:
    Vhosts + Users + Permissions + TopicPermissions + Cluster + Topology + Connections + Limits
{
}

impl<T: Vhosts + Users + Permissions + TopicPermissions + Cluster + Topology + Connections + Limits>
    Administration for T
{
}

/// Whether what was to be added is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    New,
    Existed,
}

/// Whether what was to be deleted existed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    Now,
    Before,
}
