//! `cluster-status`.

use crate::administration::{Administration, NodeState};
use crate::output::{Column, Listing, or_unknown};
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::failure::Failure;

/// List the members of the cluster: node, state (running, stopped or down), versions of RabbitMQ
/// and Erlang.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "cluster-status", help_triggers("-h", "--help"))]
pub struct ClusterStatus {}

impl ClusterStatus {
    /// Lists them.
    ///
    /// # Errors
    /// Whatever kept them from being listed.
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let members = session.broker()?.cluster_status();
        let mut members = members.map_err(|failure| failure.context("list the cluster's nodes"))?;
        members.sort();
        let columns = ["node", "state", "rabbitmq", "erlang"].map(Column::text);
        let mut listing = Listing::new(columns);
        for member in members {
            let state = match member.state {
                NodeState::Running => "running",
                NodeState::Stopped => "stopped",
                NodeState::Down => "down",
            };
            listing.push([
                member.node,
                state.into(),
                or_unknown(member.rabbitmq),
                or_unknown(member.erlang),
            ]);
        }
        session.print(&listing)
    }
}
