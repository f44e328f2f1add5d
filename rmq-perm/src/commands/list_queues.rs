//! `list-queues`.

use super::columns;
use crate::output::{Column, Listing, Value};
use crate::queues::Queue;
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::failure::Failure;

/// List the queues of a virtual host (-p), from every node of the cluster: name, type, messages,
/// consumers; with -v also state, arguments, members, online, durable, auto_delete, exclusive; or
/// the given columns. An unknown value, as of a queue that is down, is '-'.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "list-queues", help_triggers("-h", "--help"))]
pub struct ListQueues {
    /// columns to list, in this order
    #[argh(positional, arg_name = "COLUMN")]
    columns: Vec<String>,
}

/// The columns, in the order of `-v`; the first four are listed without it.
const COLUMNS: [&str; 11] = [
    "name",
    "type",
    "messages",
    "consumers",
    "state",
    "arguments",
    "members",
    "online",
    "durable",
    "auto_delete",
    "exclusive",
];

/// Those for which the queue's declaration is asked for.
const DECLARED: [&str; 4] = ["arguments", "durable", "auto_delete", "exclusive"];

impl ListQueues {
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let vhost = session.vhost()?;
        let shown = columns::chosen(&self.columns, &COLUMNS, 4, session)?;
        let declared = shown.iter().any(|name| DECLARED.contains(name));
        let queues = session.broker()?.list_queues(vhost, declared);
        let mut queues =
            queues.map_err(|failure| failure.context(format!("list queues of {vhost}")))?;
        queues.sort_by(|a, b| a.name.cmp(&b.name));
        let column = |name: &&'static str| match *name {
            "messages" | "consumers" => Column::number(name),
            name => Column::text(name),
        };
        let mut listing = Listing::new(shown.iter().map(column).collect::<Vec<_>>());
        for queue in queues {
            listing.push(shown.iter().map(|name| value(&queue, name)).collect::<Vec<_>>());
        }
        session.print(&listing)
    }
}

fn value(queue: &Queue, column: &str) -> Value {
    let count = |count: Option<u64>| count.map_or(Value::Unknown, Value::Number);
    let declared = queue.declared.as_ref();
    let json = |is: Option<bool>| is.map_or(Value::Unknown, |is| Value::Json(is.to_string()));
    match column {
        "name" => Value::Text(queue.name.clone()),
        "type" => Value::Text(queue.kind.clone()),
        "messages" => count(queue.messages),
        "consumers" => count(queue.consumers),
        "state" => Value::Text(queue.state.clone()),
        "members" => Value::Texts(queue.members.clone()),
        "online" => Value::Texts(queue.online.clone()),
        "durable" => json(declared.and_then(|it| it.durable)),
        "auto_delete" => json(declared.and_then(|it| it.auto_delete)),
        "exclusive" => json(declared.and_then(|it| it.exclusive)),
        _ => declared.map_or(Value::Unknown, |it| Value::Json(it.arguments.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_of_a_queue_is_unknown() {
        let queue = Queue { name: b"q".to_vec(), ..Queue::default() };
        assert_eq!(value(&queue, "name"), Value::Text(b"q".to_vec()));
        assert_eq!(value(&queue, "durable"), Value::Unknown);
    }
}
