//! `cluster-status`.

pub mod health;

use super::everywhere;
use crate::administration::{Administration, Listener, Member, NodeState};
use crate::output::{Column, Listing, Value};
use crate::queues::Asked;
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;

/// List the members of the cluster: node, state (running, stopped or down), versions of RabbitMQ
/// and Erlang, maintenance (no, or draining), alarms, partitions, listeners. Exit 1 with a line on
/// standard error if a member is not running, has an alarm or is separated from another.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "cluster-status", help_triggers("-h", "--help"))]
pub struct ClusterStatus {
    /// exit 1 also if quorum queues or streams would lose their majority if NODE stopped, and name
    /// them
    #[argh(switch)]
    if_node_stops: bool,

    /// member to imagine stopped (default: the node asked)
    #[argh(positional, arg_name = "NODE")]
    node: Option<String>,
}

impl ClusterStatus {
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        if self.node.is_some() && !self.if_node_stops {
            return Err(Failure::usage("NODE requires --if-node-stops"));
        }
        let mut broker = session.broker()?;
        let members = broker.cluster_status();
        let mut members = members.map_err(|failure| failure.context("list the cluster's nodes"))?;
        members.sort();
        let mut problems = health::problems(&members);
        if self.if_node_stops {
            let without = self.without_node(session, broker.as_mut(), &members);
            let context = |failure: Failure| failure.context("check what depends on the node");
            problems.extend(without.map_err(context)?);
        }
        let mut columns =
            ["node", "state", "rabbitmq", "erlang", "maintenance"].map(Column::text).to_vec();
        columns.extend(["alarms", "partitions", "listeners"].map(Column::text));
        let mut listing = Listing::new(columns);
        for member in members {
            listing.push(row(member));
        }
        session.print(&listing)?;
        if problems.is_empty() {
            return Ok(());
        }
        Err(Failure::new(Exit::No, format!("cluster-status: {}", problems.join("; "))))
    }

    /// What would be wrong if the node stopped.
    fn without_node(
        &self,
        session: &Session,
        broker: &mut dyn Administration,
        members: &[Member],
    ) -> Result<Option<String>, Failure> {
        let node = match &self.node {
            Some(node) => node.clone().into_bytes(),
            None => broker.node_asked()?,
        };
        let shown = String::from_utf8_lossy(&node);
        let Some(member) = members.iter().find(|member| member.node == node) else {
            let members = members.iter().map(|member| String::from_utf8_lossy(&member.node));
            let members = members.collect::<Vec<_>>().join(", ");
            return Err(Failure::data(format!("{shown} is not a member; there are {members}")));
        };
        if member.state != NodeState::Running || members.len() == 1 {
            let why = match members.len() {
                1 => "is the only member, and everything depends on it",
                _ => "does not run, so nothing changes if it stops",
            };
            session.diagnostics().notice(&format!("cluster-status: {shown} {why}"));
            return Ok(None);
        }
        let mut depending = Vec::new();
        for vhost in everywhere::sendable_vhosts(session, broker)? {
            // A node that runs may have a replica that does not.
            let asked = Asked { replicas: true, ..Asked::default() };
            let Some(queues) = everywhere::unless_deleted(broker, &vhost, |broker, vhost| {
                let queues = broker.list_queues(vhost, asked);
                queues.map_err(|failure| failure.context(format!("list queues of {vhost}")))
            })?
            else {
                continue;
            };
            let mut queues: Vec<_> =
                queues.into_iter().filter(|queue| health::depends_on(queue, &node)).collect();
            queues.sort_by(|a, b| a.name.cmp(&b.name));
            depending.extend(queues.into_iter().map(|queue| (vhost.clone(), queue.name)));
        }
        Ok(health::problem_without(&shown, &depending))
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
