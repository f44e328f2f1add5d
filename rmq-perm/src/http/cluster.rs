//! The cluster, as far as the API shows it. A node whose RabbitMQ is stopped looks like one that is
//! down, and before 4.3 only the node asked reports its Erlang version.

use super::broker::Http;
use super::json::{broken, each, text};
use super::{consumers, queues};
use crate::administration::{Cluster, Consumer, Listener, Member, NodeState, Text};
use crate::queues::{Asked, Queue};
use rmq_common::failure::Failure;
use serde_json::Value;

/// What the node reports about itself, and all listeners.
const OVERVIEW: &str = "?columns=node,rabbitmq_version,erlang_version,listeners";

impl Cluster for Http {
    fn cluster_status(&mut self) -> Result<Vec<Member>, Failure> {
        members(self)
    }

    fn node_asked(&mut self) -> Result<Text, Failure> {
        let overview = self.expect(&["overview"], "?columns=node")?;
        text(&overview, "node").ok_or_else(|| broken("unexpected answer".to_owned()))
    }

    fn require_started(&mut self) -> Result<(), Failure> {
        // Its plugins, including the API, start last.
        Ok(())
    }

    fn list_queues(&mut self, vhost: &str, asked: Asked) -> Result<Vec<Queue>, Failure> {
        queues::of_vhost(self, vhost, asked)
    }

    fn list_consumers(&mut self, vhost: &str) -> Result<Vec<Consumer>, Failure> {
        consumers::of_vhost(self, vhost)
    }
}

/// The members, as the node asked sees them.
fn members(broker: &Http) -> Result<Vec<Member>, Failure> {
    let columns = "?columns=name,running,applications,erlang_version,being_drained,mem_alarm,\
                   disk_free_alarm,partitions";
    let mut members = each(&broker.expect(&["nodes"], columns)?, member)?;
    let overview = broker.expect(&["overview"], OVERVIEW)?;
    let asked = text(&overview, "node");
    if let Some(member) = members.iter_mut().find(|member| Some(&member.node) == asked.as_ref()) {
        // For some seconds after its start, a node reports nothing about itself.
        member.rabbitmq = member.rabbitmq.take().or_else(|| text(&overview, "rabbitmq_version"));
        member.erlang = member.erlang.take().or_else(|| text(&overview, "erlang_version"));
    }
    let listeners = overview.get("listeners").and_then(Value::as_array);
    for (node, listener) in listeners.into_iter().flatten().filter_map(listener) {
        if let Some(member) = members.iter_mut().find(|member| member.node == node) {
            member.listeners.push(listener);
        }
    }
    Ok(members)
}

fn member(node: &Value) -> Option<Member> {
    let running = node.get("running")?.as_bool()?;
    let state = if running { NodeState::Running } else { NodeState::Down };
    let mut member = Member::new(text(node, "name")?, state);
    if !running {
        return Some(member);
    }
    let has = |key: &str| node.get(key).and_then(Value::as_bool);
    let applications = node.get("applications").and_then(Value::as_array);
    let rabbit = applications.into_iter().flatten().find(|it| it["name"] == "rabbit");
    member.rabbitmq = rabbit.and_then(|rabbit| text(rabbit, "version"));
    member.erlang = text(node, "erlang_version");
    member.draining = has("being_drained");
    for (key, alarm) in [("mem_alarm", "memory"), ("disk_free_alarm", "disk")] {
        if has(key) == Some(true) {
            member.alarms.push(alarm.into());
        }
    }
    let partitions = node.get("partitions").and_then(Value::as_array);
    let names = partitions.into_iter().flatten().filter_map(Value::as_str);
    member.partitions = names.map(|name| name.as_bytes().to_vec()).collect();
    Some(member)
}

/// A listener, and its node.
fn listener(listener: &Value) -> Option<(Text, Listener)> {
    let (protocol, address) = (text(listener, "protocol")?, text(listener, "ip_address")?);
    let port = listener.get("port")?.as_u64()?;
    Some((text(listener, "node")?, Listener { protocol, address, port }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_node_reports_its_alarms_and_one_that_is_down_nothing() {
        let node = json!({
            "name": "r@h", "running": true, "mem_alarm": true, "disk_free_alarm": false,
            "partitions": ["x@h"], "being_drained": true,
            "applications": [{"name": "ra", "version": "2"}, {"name": "rabbit", "version": "4.0.5"}],
        });
        let shown = member(&node).unwrap();
        assert_eq!((shown.state, shown.rabbitmq), (NodeState::Running, Some(b"4.0.5".to_vec())));
        assert_eq!((shown.alarms, shown.draining), (vec![b"memory".to_vec()], Some(true)));
        assert_eq!((shown.partitions, shown.erlang), (vec![b"x@h".to_vec()], None));
        let down = member(&json!({"name": "r@h", "running": false, "mem_alarm": true})).unwrap();
        assert_eq!(down, Member::new(b"r@h".to_vec(), NodeState::Down));
    }
}
