//! `cluster-status`.

use crate::administration::{Listener, Member, NodeState};
use crate::output::{Column, Listing, Value};
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::failure::Failure;

/// List the members of the cluster: node, state (running, stopped or down), versions of RabbitMQ
/// and Erlang, maintenance (no, or draining), alarms, partitions, listeners.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "cluster-status", help_triggers("-h", "--help"))]
pub struct ClusterStatus {}

impl ClusterStatus {
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let members = session.broker()?.cluster_status();
        let mut members = members.map_err(|failure| failure.context("list the cluster's nodes"))?;
        members.sort();
        let mut columns =
            ["node", "state", "rabbitmq", "erlang", "maintenance"].map(Column::text).to_vec();
        columns.extend(["alarms", "partitions", "listeners"].map(Column::text));
        let mut listing = Listing::new(columns);
        for member in members {
            listing.push(row(member));
        }
        session.print(&listing)
    }
}

fn row(mut member: Member) -> [Value; 8] {
    let state = match member.state {
        NodeState::Running => "running",
        NodeState::Stopped => "stopped",
        NodeState::Down => "down",
    };
    let draining = member.draining.map(|draining| if draining { "draining" } else { "no" });
    member.alarms.sort();
    member.partitions.sort();
    member.listeners.sort();
    [
        Value::Text(member.node),
        Value::Text(state.into()),
        member.rabbitmq.map_or(Value::Unknown, Value::Text),
        member.erlang.map_or(Value::Unknown, Value::Text),
        draining.map_or(Value::Unknown, |draining| Value::Text(draining.into())),
        Value::Texts(member.alarms),
        Value::Texts(member.partitions),
        Value::Texts(member.listeners.iter().map(listener).collect()),
    ]
}

/// `amqp@127.0.0.1:5672`
fn listener(listener: &Listener) -> Vec<u8> {
    let Listener { protocol, address, port } = listener;
    let (open, close) = if address.contains(&b':') { ("[", "]") } else { ("", "") };
    let port = format!("{close}:{port}");
    [protocol, &b"@"[..], open.as_bytes(), address, port.as_bytes()].concat()
}
