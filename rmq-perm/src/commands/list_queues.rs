//! `list-queues`.

use crate::administration::Queue;
use crate::output::{Column, Listing, Value};
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::failure::Failure;

/// List the queues of a virtual host (-p), from every node of the cluster: name, type, messages,
/// consumers; with -v also state and arguments. What nobody knows of a queue that is down is '-'.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "list-queues", help_triggers("-h", "--help"))]
pub struct ListQueues {}

impl ListQueues {
    /// Lists them.
    ///
    /// # Errors
    /// Whatever kept them from being listed.
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let vhost = session.vhost()?;
        let queues = session.broker()?.list_queues(vhost);
        let mut queues =
            queues.map_err(|failure| failure.context(format!("list queues of {vhost}")))?;
        queues.sort_by(|a, b| a.name.cmp(&b.name));
        let verbose = session.diagnostics().verbose();
        let mut columns = vec![
            Column::text("name"),
            Column::text("type"),
            Column::number("messages"),
            Column::number("consumers"),
        ];
        if verbose {
            columns.extend([Column::text("state"), Column::text("arguments")]);
        }
        let mut listing = Listing::new(columns);
        for queue in queues {
            listing.push(row(queue, verbose));
        }
        session.print(&listing)
    }
}

fn row(queue: Queue, verbose: bool) -> Vec<Value> {
    let count = |count: Option<u64>| count.map_or(Value::Unknown, Value::Number);
    let mut row = [queue.name, queue.kind].map(Value::Text).to_vec();
    row.extend([queue.messages, queue.consumers].map(count));
    if verbose {
        row.extend([Value::Text(queue.state), Value::Json(queue.arguments.to_string())]);
    }
    row
}
