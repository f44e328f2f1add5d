//! The nodes of the cluster and their states.

use super::arguments::{atom, atoms, list, number};
use super::broker::{Distribution, broken, each};
use super::{consumers, queues};
use crate::administration::{Cluster, Consumer, Listener, Member, NodeState, Text};
use crate::queues::{Asked, Queue};
use crate::refusal::Refusal;
use crate::term::Term;
use rmq_common::failure::Failure;
use std::net::IpAddr;
use std::time::Duration;

impl Cluster for Distribution {
    fn cluster_status(&mut self) -> Result<Vec<Member>, Failure> {
        members(self, self.limit / 2)
    }

    fn node_asked(&mut self) -> Result<Text, Failure> {
        let node = self.ask("erlang", "node", vec![])?;
        node.text().ok_or_else(|| broken(format!("unexpected answer: {node}")))
    }

    fn require_started(&mut self) -> Result<(), Failure> {
        // RabbitMQ already runs while plugins are started and definitions are imported.
        let state = self.ask_if_there("rabbit_boot_state", "get", vec![])?;
        match state {
            Some(state) if !state.is_atom("ready") => Err(Refusal::NodeNotReady.failure()),
            _ => Ok(()),
        }
    }

    fn list_queues(&mut self, vhost: &str, asked: Asked) -> Result<Vec<Queue>, Failure> {
        queues::of_vhost(self, vhost, asked)
    }

    fn list_consumers(&mut self, vhost: &str) -> Result<Vec<Consumer>, Failure> {
        consumers::of_vhost(self, vhost)
    }
}

/// The members, as the node we are connected to sees them. Each has `limit` to answer.
fn members(broker: &mut Distribution, limit: Duration) -> Result<Vec<Member>, Failure> {
    // Both ask only the node itself, so a member that hangs does not delay them.
    let answer = match broker.ask_if_there("rabbit_nodes", "list_members", vec![])? {
        Some(answer) => answer,
        None => broker.ask("rabbit_mnesia", "cluster_nodes", vec![atom("all")])?,
    };
    let names = each(&answer, |node| match node {
        Term::Atom(name) => Some(name.clone()),
        _ => None,
    })?;
    let running = on_each(broker, &names, limit, "rabbit", "is_running")?;
    let mut members: Vec<Member> = names
        .iter()
        .zip(&running)
        .map(|(name, running)| {
            let state = match running {
                Some(running) if running.is_atom("true") => NodeState::Running,
                Some(_) => NodeState::Stopped,
                None => NodeState::Down,
            };
            Member::new(name.clone().into_bytes(), state)
        })
        .collect();
    versions(broker, &mut members, limit)?;
    partitions(broker, &mut members, limit)?;
    maintenance(broker, &mut members)?;
    alarms(broker, &mut members)?;
    listeners(broker, &mut members)?;
    Ok(members)
}

fn versions(
    broker: &mut Distribution,
    members: &mut [Member],
    limit: Duration,
) -> Result<(), Failure> {
    let up = |member: &Member| member.state != NodeState::Down;
    of_those(broker, members, limit, up, "rabbit_misc", "version", |member, version| {
        member.rabbitmq = version.text();
    })?;
    of_those(broker, members, limit, up, "rabbit_misc", "otp_release", |member, version| {
        member.erlang = version.text();
    })
}

/// The nodes that each has been separated from. 4.3 has no partitions, because Raft decides.
fn partitions(
    broker: &mut Distribution,
    members: &mut [Member],
    limit: Duration,
) -> Result<(), Failure> {
    let runs = |member: &Member| member.state == NodeState::Running;
    of_those(broker, members, limit, runs, "rabbit_node_monitor", "partitions", |member, nodes| {
        let nodes = nodes.list().unwrap_or_default();
        member.partitions = nodes.iter().filter_map(Term::text).collect();
    })
}

/// Which nodes are drained, according to the node we ask: asking all could wait for a majority.
fn maintenance(broker: &mut Distribution, members: &mut [Member]) -> Result<(), Failure> {
    for member in members {
        let node = atom(&String::from_utf8_lossy(&member.node));
        let status = broker.ask_if_there("rabbit_maintenance", "status_local_read", vec![node])?;
        member.draining = match status {
            Some(status) if status.is_atom("draining") => Some(true),
            Some(status) if status.is_atom("regular") => Some(false),
            _ => None,
        };
    }
    Ok(())
}

/// `{{resource_limit, disk, Node}, []}` for each alarm; every node knows all.
fn alarms(broker: &mut Distribution, members: &mut [Member]) -> Result<(), Failure> {
    let answer = broker.ask("rabbit_alarm", "get_alarms", vec![])?;
    for alarm in answer.list().unwrap_or_default() {
        let limit = alarm.tuple().and_then(<[Term]>::first);
        if let Some([what, node]) = limit.and_then(|limit| limit.tagged("resource_limit")) {
            let (what, node) = (what.text(), node.text());
            let member = members.iter_mut().find(|member| node.as_ref() == Some(&member.node));
            if let (Some(member), Some(what)) = (member, what) {
                member.alarms.push(what);
            }
        }
    }
    Ok(())
}

/// `{listener, Node, Protocol, Host, Address, Port, Options}`, of all nodes.
fn listeners(broker: &mut Distribution, members: &mut [Member]) -> Result<(), Failure> {
    let answer = broker.ask("rabbit_networking", "active_listeners", vec![])?;
    for listener in answer.list().unwrap_or_default() {
        let Some([node, protocol, _, address, port, ..]) = listener.tagged("listener") else {
            continue;
        };
        let node = node.text();
        let member = members.iter_mut().find(|member| node.as_ref() == Some(&member.node));
        let parts = (protocol.text(), address_of(address), port.count());
        if let (Some(member), (Some(protocol), Some(address), Some(port))) = (member, parts) {
            let address = address.to_string().into_bytes();
            member.listeners.push(Listener { protocol, address, port });
        }
    }
    Ok(())
}

/// `{127, 0, 0, 1}`, or eight numbers for IPv6.
pub fn address_of(term: &Term) -> Option<IpAddr> {
    let part = |part: &Term| part.count().and_then(|part| u16::try_from(part).ok());
    let parts = term.tuple()?.iter().map(part).collect::<Option<Vec<u16>>>()?;
    if let Ok(groups) = <[u16; 8]>::try_from(&*parts) {
        return Some(IpAddr::from(groups));
    }
    let octet = |part: &u16| u8::try_from(*part).ok();
    let octets = parts.iter().map(octet).collect::<Option<Vec<u8>>>()?;
    <[u8; 4]>::try_from(&*octets).ok().map(IpAddr::from)
}

/// Asks only those `wanted` members that have answered before: waiting once for one that hangs is
/// enough. If this release lacks the function, nothing is reported.
fn of_those(
    broker: &mut Distribution,
    members: &mut [Member],
    limit: Duration,
    wanted: impl Fn(&Member) -> bool,
    module: &'static str,
    function: &'static str,
    mut set: impl FnMut(&mut Member, &Term),
) -> Result<(), Failure> {
    let mut members: Vec<&mut Member> = members.iter_mut().filter(|m| wanted(m)).collect();
    let names: Vec<String> =
        members.iter().map(|member| String::from_utf8_lossy(&member.node).into_owned()).collect();
    let answers = on_each(broker, &names, limit, module, function)?;
    for (member, answer) in members.iter_mut().zip(&answers) {
        if let Some(answer) = answer {
            set(member, answer);
        }
    }
    Ok(())
}

/// What a function returns on each node, called through ours; `None` for a node that does not
/// answer.
fn on_each(
    broker: &mut Distribution,
    nodes: &[String],
    limit: Duration,
    module: &'static str,
    function: &'static str,
) -> Result<Vec<Option<Term>>, Failure> {
    let nodes = atoms(nodes.iter().map(String::as_str));
    let milliseconds = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
    let arguments = vec![nodes, atom(module), atom(function), list(vec![]), number(milliseconds)];
    let answer = broker.ask("erpc", "multicall", arguments)?;
    each(&answer, |answer| {
        Some(match answer.tagged("ok") {
            Some([value]) => Some(value.clone()),
            _ => None,
        })
    })
}
