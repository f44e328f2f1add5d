//! A queue as the API describes it.

use super::json::text;
use crate::administration::Text;
use crate::queues::{Asked, COUNTS, Queue};
use serde_json::Value;

/// The query for statistics, with the columns that are needed.
pub fn columns(asked: Asked) -> String {
    let mut columns = "?columns=name,type,messages,state,members,online,node".to_owned();
    if asked.details {
        columns += ",leader,policy";
        columns.extend(COUNTS.iter().flat_map(|(_, item)| [",", item]));
    }
    columns
}

/// A queue as the API reports it.
pub fn queue(queue: &Value) -> Option<Queue> {
    let state = text(queue, "state").unwrap_or_else(|| b"unknown".to_vec());
    let kind = text(queue, "type")?;
    let nodes = |key: &str| -> Vec<Text> {
        let nodes = queue.get(key).and_then(Value::as_array).into_iter().flatten();
        nodes.filter_map(Value::as_str).map(|node| node.as_bytes().to_vec()).collect()
    };
    let (mut members, mut online) = (nodes("members"), nodes("online"));
    if kind == b"classic" {
        members = text(queue, "node").into_iter().collect();
        online = if state == b"down" { Vec::new() } else { members.clone() };
    }
    let count = |key: &str| queue.get(key).and_then(Value::as_u64);
    let leader = text(queue, "leader").or_else(|| text(queue, "node"));
    let policy = match queue.get("policy") {
        Some(Value::Null) => Some(Text::new()),
        _ => text(queue, "policy"),
    };
    Some(Queue {
        name: text(queue, "name")?,
        kind,
        messages: count("messages"),
        counts: COUNTS.map(|(_, item)| count(item)),
        state,
        members,
        online,
        leader: leader.filter(|leader| !leader.is_empty()),
        policy,
        ..Queue::default()
    })
}
