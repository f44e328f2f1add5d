//! The cluster: which nodes belong to it, and how each of them is.

use super::arguments::{atom, atoms, list, number};
use super::broker::{Distribution, each};
use super::term::Term;
use crate::administration::{Member, NodeState, Text};
use rmq_common::failure::Failure;
use std::time::Duration;

/// The members, as the node we are connected to sees them. Each has `limit` to answer.
///
/// # Errors
/// When the node we are connected to does not say.
pub fn members(broker: &mut Distribution, limit: Duration) -> Result<Vec<Member>, Failure> {
    // The newer function is there from RabbitMQ 3.13 on, and before 4.3 so is the older.
    let status = match broker.ask_if_there("rabbit_db_cluster", "cli_cluster_status", vec![])? {
        Some(status) => status,
        None => broker.ask("rabbit_mnesia", "status", vec![])?,
    };
    let names = names(&status)?;
    let mut on_each = |module, function| on_each(broker, &names, limit, module, function);
    let running = on_each("rabbit", "is_running")?;
    let rabbitmq = on_each("rabbit_misc", "version")?;
    let erlang = on_each("rabbit_misc", "otp_release")?;
    let members = names.iter().zip(running).zip(rabbitmq).zip(erlang);
    Ok(members
        .map(|(((name, running), rabbitmq), erlang)| Member {
            node: name.clone().into_bytes(),
            state: match running {
                Some(running) if running.is_atom("true") => NodeState::Running,
                Some(_) => NodeState::Stopped,
                None => NodeState::Down,
            },
            rabbitmq: rabbitmq.as_ref().and_then(version),
            erlang: erlang.as_ref().and_then(version),
        })
        .collect())
}

/// `[{nodes, [{disc, [Node, ...]}, ...]}, ...]`: kinds of nodes, of which newer versions have one.
fn names(status: &Term) -> Result<Vec<String>, Failure> {
    let kinds = each(status.property("nodes").unwrap_or(status), |kind| match kind.tuple()? {
        [_, names] => names.list()?.iter().map(name).collect::<Option<Vec<_>>>(),
        _ => None,
    })?;
    Ok(kinds.concat())
}

fn name(node: &Term) -> Option<String> {
    match node {
        Term::Atom(name) => Some(name.clone()),
        _ => None,
    }
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

fn version(term: &Term) -> Option<Text> {
    term.text().filter(|text| !text.is_empty())
}
