//! A queue as the API describes it.

use super::json::text;
use crate::administration::Text;
use crate::queues::Queue;
use serde_json::Value;

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
    let messages = queue.get("messages").and_then(Value::as_u64);
    let name = text(queue, "name")?;
    Some(Queue { name, kind, messages, state, members, online, ..Queue::default() })
}
