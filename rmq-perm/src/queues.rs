//! A queue as a listing shows it, over either transport.

use crate::administration::text::Text;
use serde_json::Value;

/// What is counted of a queue if details are asked for: the column that shows it, and the name by
/// which both transports know it.
pub const COUNTS: [(&str, &str); 2] =
    [("ready", "messages_ready"), ("unacknowledged", "messages_unacknowledged")];

/// A number for each of [`COUNTS`], as far as it is known.
pub type Counts = [Option<u64>; COUNTS.len()];

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queue {
    pub name: Text,
    /// `quorum`, `classic`, `stream`, or a plugin's own type.
    pub kind: Text,
    /// Ready and unacknowledged; unknown if the queue is down or in a minority.
    pub messages: Option<u64>,
    /// Unknown likewise.
    pub consumers: Option<u64>,
    /// If they were asked for; unknown likewise.
    pub counts: Counts,
    /// `running` or another state of the broker's; `down` without a leader, `minority` without a
    /// majority.
    pub state: Text,
    /// The nodes with a replica; empty if unknown.
    pub members: Vec<Text>,
    /// Those of them that are running.
    pub online: Vec<Text>,
    /// The node that leads it, if requested; unknown likewise.
    pub leader: Option<Text>,
    /// The policy that applies to it, empty if there is none; if requested.
    pub policy: Option<Text>,
    /// What it was declared with, if requested.
    pub declared: Option<Declared>,
}

/// What is requested for each queue besides the basic items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Its [`Declared`].
    pub declared: bool,
    /// Its [`Counts`], leader and policy.
    pub details: bool,
    /// Whether each of its members works, even if that takes a question to each of their nodes.
    pub replicas: bool,
}

/// What a queue was declared with, as far as is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    pub durable: Option<bool>,
    pub auto_delete: Option<bool>,
    pub exclusive: Option<bool>,
    /// Its arguments, as a JSON object.
    pub arguments: String,
}

impl Queue {
    /// Corrects the state according to the members: a broker may report a queue without a majority
    /// as running, or give no state. Its counts are then unknown.
    #[must_use]
    pub fn judged(mut self) -> Self {
        let replicated = matches!(&*self.kind, b"quorum" | b"stream") && !self.members.is_empty();
        if replicated && self.online.is_empty() {
            self.state = b"down".to_vec();
        } else if replicated && self.online.len() * 2 <= self.members.len() {
            self.state = b"minority".to_vec();
        }
        if self.lacks_leader() {
            (self.messages, self.consumers) = (None, None);
            (self.counts, self.leader) = (Counts::default(), None);
        }
        self.members.sort();
        self.online.sort();
        self
    }

    /// What is in this column of [`COUNTS`].
    pub fn count(&self, column: &str) -> Option<u64> {
        self.counts[COUNTS.iter().position(|(name, _)| *name == column)?]
    }

    /// Whether its counts mean anything: a node reported it, and it has a leader.
    pub fn has_counts(&self) -> bool {
        !self.lacks_leader() && self.kind != b"unknown"
    }

    /// Whether it can be neither published to nor consumed from.
    pub fn lacks_leader(&self) -> bool {
        matches!(&*self.state, b"down" | b"minority")
    }
}

/// Arguments nested more deeply than this are shown as `...`.
pub const DEEPEST: usize = 64;
/// The arguments of one queue are left out if they exceed this many bytes of JSON,
const LARGEST: usize = 1 << 20;
/// and those of all queues together if they exceed this.
const LARGEST_OF_ALL: usize = 128 << 20;

/// How many bytes of arguments can still be kept: any user who may declare a queue chooses them.
#[derive(Debug)]
pub struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Room(LARGEST_OF_ALL)
    }
}

impl Room {
    /// The arguments as text, if there is room.
    pub fn keep(&mut self, arguments: &Value) -> String {
        let text = shallow(arguments, DEEPEST).to_string();
        if text.len() > LARGEST.min(self.0) {
            return left_out(&format!("{} bytes", text.len()));
        }
        self.0 -= text.len();
        text
    }
}

/// The text in place of arguments that are left out.
pub fn left_out(why: &str) -> String {
    serde_json::json!({ "...": format!("left out: {why}") }).to_string()
}

fn shallow(value: &Value, depth: usize) -> Value {
    match value {
        Value::Array(_) | Value::Object(_) if depth == 0 => "...".into(),
        Value::Array(values) => values.iter().map(|value| shallow(value, depth - 1)).collect(),
        Value::Object(pairs) => {
            let pairs = pairs.iter().map(|(key, value)| (key.clone(), shallow(value, depth - 1)));
            Value::Object(pairs.collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(kind: &str, state: &str, members: &[&str], online: &[&str]) -> Queue {
        let texts = |names: &[&str]| names.iter().map(|name| name.as_bytes().to_vec()).collect();
        let (members, online) = (texts(members), texts(online));
        let (kind, state) = (kind.into(), state.into());
        let counts = (Some(1), Some(1));
        Queue {
            kind,
            state,
            members,
            online,
            messages: counts.0,
            consumers: counts.1,
            ..Queue::default()
        }
    }

    #[test]
    fn the_members_that_run_decide_whether_a_queue_can_work() {
        for (kind, members, online, state) in [
            ("quorum", &["a", "b", "c"][..], &["a", "b"][..], "running"),
            ("quorum", &["a", "b", "c"], &["a"], "minority"),
            ("quorum", &["a", "b"], &["a"], "minority"),
            ("stream", &["a", "b", "c"], &[], "down"),
            ("quorum", &["a"], &["a"], "running"),
            ("quorum", &[], &[], "running"),
            ("classic", &["a"], &[], "running"),
        ] {
            let queue = queue(kind, "running", members, online).judged();
            assert_eq!(queue.state, state.as_bytes(), "{kind} {members:?} {online:?}");
            assert_eq!(queue.messages.is_some(), state == "running");
        }
        assert_eq!(queue("classic", "down", &["a"], &[]).judged().consumers, None);
    }

    #[test]
    fn arguments_are_kept_as_far_as_there_is_room() {
        let mut room = Room::default();
        let long = serde_json::json!({"x": "y".repeat(65_536)});
        assert_eq!(room.keep(&long), long.to_string());
        let longer = serde_json::json!({"x": "y".repeat(LARGEST)});
        assert_eq!(room.keep(&longer), r#"{"...":"left out: 1048584 bytes"}"#);
        let deep = (0..500).fold(Value::from(1), |inner, _| serde_json::json!([inner]));
        let kept = room.keep(&serde_json::json!({ "deep": deep }));
        assert_eq!(kept.matches('[').count(), DEEPEST - 1);
        assert!(kept.contains("[\"...\"]"), "{kept}");
        let kept = (0..200).map(|_| room.keep(&serde_json::json!({"x": "y".repeat(1_000_000)})));
        assert!(kept.map(|text| text.len()).sum::<usize>() < LARGEST_OF_ALL + 20_000);
    }
}
