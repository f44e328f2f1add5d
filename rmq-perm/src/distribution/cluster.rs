//! The cluster: which nodes belong to it, and how each of them is.

use super::arguments::{atom, atoms, list, number};
use super::broker::{Distribution, each};
use super::term::Term;
use crate::administration::{Member, NodeState};
use rmq_common::failure::Failure;
use std::time::Duration;

/// The members, as the node we are connected to sees them. Each has `limit` to answer.
///
/// # Errors
/// When the node we are connected to does not say.
pub fn members(broker: &mut Distribution, limit: Duration) -> Result<Vec<Member>, Failure> {
    // Both look no further than the node itself, so that a member which hangs holds up neither.
    let answer = match broker.ask_if_there("rabbit_nodes", "list_members", vec![])? {
        Some(answer) => answer,
        None => broker.ask("rabbit_mnesia", "cluster_nodes", vec![atom("all")])?,
    };
    let names = each(&answer, |node| match node {
        Term::Atom(name) => Some(name.clone()),
        _ => None,
    })?;
    let running = on_each(broker, &names, limit, "rabbit", "is_running")?;
    // Only those that answered are asked more: waiting once for one that hangs is enough.
    let up: Vec<String> =
        names.iter().zip(&running).filter(|(_, r)| r.is_some()).map(|(n, _)| n.clone()).collect();
    let mut rabbitmq = on_each(broker, &up, limit, "rabbit_misc", "version")?.into_iter();
    let mut erlang = on_each(broker, &up, limit, "rabbit_misc", "otp_release")?.into_iter();
    let mut members = Vec::new();
    for (name, running) in names.into_iter().zip(running) {
        let node = name.into_bytes();
        members.push(match running {
            None => Member { node, state: NodeState::Down, rabbitmq: None, erlang: None },
            Some(running) => Member {
                node,
                state: match running.is_atom("true") {
                    true => NodeState::Running,
                    false => NodeState::Stopped,
                },
                rabbitmq: rabbitmq.next().flatten().and_then(|version| version.text()),
                erlang: erlang.next().flatten().and_then(|version| version.text()),
            },
        });
    }
    Ok(members)
}

/// What a function returns on each node, through the one we are connected to; `None` of a node
/// that does not answer.
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
