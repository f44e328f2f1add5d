//! `list-queues`.

use super::columns::chosen;
use super::everywhere::{columns, gather, row};
use crate::output::{Column, Listing, Value};
use crate::queues::{Asked, COUNTS, Queue};
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use pcre2::bytes::{Regex, RegexBuilder};
use rmq_common::failure::Failure;

/// List the queues of a virtual host (-p), from every node of the cluster: name, type, messages,
/// consumers; with -v also state, arguments, members, online, durable, auto_delete, exclusive,
/// ready, unacknowledged, leader, policy; or the given columns. An unknown value, as of a queue that
/// is down, is '-'.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "list-queues", help_triggers("-h", "--help"))]
pub struct ListQueues {
    /// list the queues of all virtual hosts, after the name of each
    #[argh(switch)]
    all: bool,

    /// list only queues with this in their names, a regular expression
    #[argh(option, arg_name = "PATTERN", from_str_fn(pattern))]
    name: Option<Regex>,

    /// columns to list, in this order
    #[argh(positional, arg_name = "COLUMN")]
    columns: Vec<String>,
}

/// The columns, in the order of `-v`; the first four are listed without it.
const FIRST: [&str; 11] = [
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
/// The last of them; those of [`COUNTS`] are in between.
const LAST: [&str; 2] = ["leader", "policy"];

/// Those for which the queue's declaration is asked for; for the counts and the last, details are.
const DECLARED: [&str; 4] = ["arguments", "durable", "auto_delete", "exclusive"];

impl ListQueues {
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let counts = COUNTS.map(|(column, _)| column);
        let all = [&FIRST[..], &counts, &LAST].concat();
        let shown = chosen(&known(&self.columns), &all, 4, session)?;
        let has = |columns: &[&str]| shown.iter().any(|name| columns.contains(name));
        let details = has(&counts) || has(&LAST);
        let asked = Asked { declared: has(&DECLARED), details, ..Asked::default() };
        let found =
            gather(session, self.all, "queues", |broker, vhost| broker.list_queues(vhost, asked))?;
        let column = |name: &&'static str| match *name {
            name if name == "messages" || name == "consumers" || counts.contains(&name) => {
                Column::number(name)
            }
            name => Column::text(name),
        };
        let mut listing = Listing::new(columns(self.all, shown.iter().map(column)));
        for mut on in found {
            on.rows.retain(|queue| self.is_wanted(&queue.name));
            on.rows.sort_by(|a, b| a.name.cmp(&b.name));
            for queue in &on.rows {
                let values = shown.iter().map(|name| value(queue, name));
                listing.push(row(self.all, &on.vhost, values));
            }
        }
        session.print(&listing)
    }

    /// If matching takes the library too long, that is not a match.
    fn is_wanted(&self, name: &[u8]) -> bool {
        self.name.as_ref().is_none_or(|pattern| pattern.is_match(name).unwrap_or(false))
    }
}

/// The columns' own names: rabbitmqctl's are understood, too.
fn known(columns: &[String]) -> Vec<String> {
    let own = |given: &String| COUNTS.iter().find(|(_, other)| other == given).map(|it| it.0);
    columns.iter().map(|given| own(given).map_or_else(|| given.clone(), str::to_owned)).collect()
}

/// As in permissions, it only has to match part of a name.
fn pattern(text: &str) -> Result<Regex, String> {
    RegexBuilder::new().build(text).map_err(|why| why.to_string())
}

fn value(queue: &Queue, column: &str) -> Value {
    let count = |count: Option<u64>| count.map_or(Value::Unknown, Value::Number);
    let text = |text: &Option<Vec<u8>>| text.clone().map_or(Value::Unknown, Value::Text);
    let declared = queue.declared.as_ref();
    let json = |is: Option<bool>| is.map_or(Value::Unknown, |is| Value::Json(is.to_string()));
    match column {
        "name" => Value::Text(queue.name.clone()),
        "type" => Value::Text(queue.kind.clone()),
        "messages" => count(queue.messages),
        "consumers" => count(queue.consumers),
        "leader" => text(&queue.leader),
        "policy" => text(&queue.policy),
        "state" => Value::Text(queue.state.clone()),
        "members" => Value::Texts(queue.members.clone()),
        "online" => Value::Texts(queue.online.clone()),
        "durable" => json(declared.and_then(|it| it.durable)),
        "auto_delete" => json(declared.and_then(|it| it.auto_delete)),
        "exclusive" => json(declared.and_then(|it| it.exclusive)),
        "arguments" => declared.map_or(Value::Unknown, |it| Value::Json(it.arguments.clone())),
        other => count(queue.count(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_of_a_queue_is_unknown() {
        let given = ["messages_ready", "messages", "odd"].map(str::to_owned);
        assert_eq!(known(&given), ["ready", "messages", "odd"]);
        let queue = Queue { name: b"q".to_vec(), ..Queue::default() };
        assert_eq!(value(&queue, "name"), Value::Text(b"q".to_vec()));
        assert_eq!(value(&queue, "durable"), Value::Unknown);
        let queue = Queue { counts: [Some(3), None], ..queue };
        assert_eq!(value(&queue, "ready"), Value::Number(3));
        assert_eq!(value(&queue, "unacknowledged"), Value::Unknown);
    }

    #[test]
    fn a_name_is_matched_in_part_and_as_bytes() {
        let wanted = |text: &str, name: &[u8]| {
            let name_pattern = Some(pattern(text).unwrap());
            ListQueues { all: false, name: name_pattern, columns: vec![] }.is_wanted(name)
        };
        assert!(wanted("obs", b"jobs") && wanted("^jobs$", b"jobs") && wanted("", b"jobs"));
        assert!(!wanted("^obs", b"jobs") && wanted("^.$", b"\xff"));
        assert!(pattern("(").is_err());
    }
}
