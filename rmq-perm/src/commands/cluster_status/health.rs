//! What is wrong with a cluster.

use crate::administration::{Member, NodeState, Text};
use crate::queues::Queue;

/// At most this many queues are named.
const MOST: usize = 100;

/// Whether AMQP clients can connect to the node.
pub fn accepts_amqp(member: &Member) -> bool {
    member.listeners.iter().any(|it| matches!(&*it.protocol, b"amqp" | b"amqp/ssl"))
}

/// What is wrong with the members, in a few words each.
pub fn problems(members: &[Member]) -> Vec<String> {
    let mut problems = Vec::new();
    for member in members {
        let node = String::from_utf8_lossy(&member.node);
        match member.state {
            NodeState::Running => {}
            NodeState::Stopped => problems.push(format!("{node} is stopped")),
            NodeState::Down => problems.push(format!("{node} is down")),
        }
        if !member.alarms.is_empty() {
            problems.push(format!("{node} has an alarm: {}", names(&member.alarms)));
        }
        if !member.partitions.is_empty() {
            problems.push(format!("{node} is separated from {}", names(&member.partitions)));
        }
    }
    problems
}

/// Whether the queue has a majority now, and would lose it if `node` stopped.
pub fn depends_on(queue: &Queue, node: &[u8]) -> bool {
    let has_majority = |online: usize| online * 2 > queue.members.len();
    let is_replicated = matches!(&*queue.kind, b"quorum" | b"stream");
    let online = queue.online.len();
    is_replicated
        && queue.online.iter().any(|member| member == node)
        && has_majority(online)
        && !has_majority(online - 1)
}

/// The problem of the queues that depend on `node`: virtual host and name of each.
pub fn problem_without(node: &str, queues: &[(String, Text)]) -> Option<String> {
    let named = queues.iter().take(MOST);
    let named = named.map(|(vhost, name)| format!("{} in {vhost}", String::from_utf8_lossy(name)));
    let mut named = named.collect::<Vec<_>>().join(", ");
    match queues.len() {
        0 => return None,
        count if count > MOST => named.push_str(&format!(" and {} more", count - MOST)),
        _ => {}
    }
    Some(format!("queues that lose their majority if {node} stops: {named}"))
}

fn names(names: &[Text]) -> String {
    let names = names.iter().map(|name| String::from_utf8_lossy(name));
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_wrong_with_a_member_is_named() {
        let member = |state| Member::new(b"a@h".to_vec(), state);
        assert!(problems(&[member(NodeState::Running)]).is_empty());
        assert_eq!(problems(&[member(NodeState::Down)]), ["a@h is down"]);
        let mut ill = member(NodeState::Running);
        ill.alarms = vec![b"disk".to_vec(), b"memory".to_vec()];
        ill.partitions = vec![b"b@h".to_vec()];
        let wanted =
            ["a@h is stopped", "a@h has an alarm: disk, memory", "a@h is separated from b@h"];
        assert_eq!(problems(&[member(NodeState::Stopped), ill]), wanted);
    }

    fn queue(kind: &str, members: &[&str], online: &[&str]) -> Queue {
        let texts = |names: &[&str]| names.iter().map(|name| name.as_bytes().to_vec()).collect();
        let (members, online) = (texts(members), texts(online));
        Queue { kind: kind.into(), members, online, ..Queue::default() }
    }

    #[test]
    fn a_queue_depends_on_a_member_without_which_it_has_no_majority() {
        let all = ["a", "b", "c"];
        for (kind, members, online, depends) in [
            ("quorum", &all[..], &all[..], false),
            ("quorum", &all, &["a", "b"], true),
            ("stream", &all, &["a", "b"], true),
            // It has no replica on this node, or has lost its majority already.
            ("quorum", &all, &["b", "c"], false),
            ("quorum", &all, &["a"], false),
            ("quorum", &["a"], &["a"], true),
            ("quorum", &["a", "b"], &["a", "b"], true),
            ("classic", &["a"], &["a"], false),
            ("quorum", &[], &[], false),
        ] {
            assert_eq!(depends_on(&queue(kind, members, online), b"a"), depends, "{online:?}");
        }
    }

    #[test]
    fn the_queues_are_named_as_far_as_a_line_may_be_long() {
        let queues = |count: usize| -> Vec<(String, Text)> {
            (1..=count).map(|n| ("/".to_owned(), format!("q{n}").into_bytes())).collect()
        };
        assert_eq!(problem_without("a", &[]), None);
        let one = problem_without("a", &queues(1)).unwrap();
        assert_eq!(one, "queues that lose their majority if a stops: q1 in /");
        let many = problem_without("a", &queues(103)).unwrap();
        assert!(
            many.contains("q99 in /, q100") && many.ends_with("q100 in / and 3 more"),
            "{many}"
        );
    }

    proptest! {
        #[test]
        fn no_queue_depends_on_a_node_where_it_is_not(members in 0usize..6, online in 0usize..6) {
            let names = ["b", "c", "d", "e", "f"];
            let members = &names[..members.min(5)];
            let online = &members[..online.min(members.len())];
            prop_assert!(!depends_on(&queue("quorum", members, online), b"a"));
        }
    }
}
