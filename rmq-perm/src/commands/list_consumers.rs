//! `list-consumers`.

use super::everywhere::{columns, gather, row};
use crate::administration::Consumer;
use crate::output::{Column, Listing, Value};
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::failure::Failure;

/// List the consumers of the queues of a virtual host (-p), on every node: queue, connection,
/// consumer_tag, prefetch (0: any number), ack_mode (manual, or automatic: a message is gone once it
/// is sent); with -v also active, exclusive.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "list-consumers", help_triggers("-h", "--help"))]
pub struct ListConsumers {
    /// list the consumers of all virtual hosts, after the name of each
    #[argh(switch)]
    all: bool,
}

impl ListConsumers {
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let verbose = session.diagnostics().verbose();
        let shown = if verbose { 7 } else { 5 };
        let column = |name| match name {
            "prefetch" => Column::number(name),
            name => Column::text(name),
        };
        let names =
            ["queue", "connection", "consumer_tag", "prefetch", "ack_mode", "active", "exclusive"];
        let names = names.into_iter().take(shown).map(column);
        let found =
            gather(session, self.all, "consumers", |broker, vhost| broker.list_consumers(vhost))?;
        let mut listing = Listing::new(columns(self.all, names));
        for mut on in found {
            on.rows.sort();
            for consumer in on.rows {
                listing.push(row(self.all, &on.vhost, values(consumer).into_iter().take(shown)));
            }
        }
        session.print(&listing)
    }
}

fn values(consumer: Consumer) -> [Value; 7] {
    let json = |is: bool| Value::Json(is.to_string());
    let mode = if consumer.acknowledges { "manual" } else { "automatic" };
    [
        Value::Text(consumer.queue),
        consumer.connection.map_or(Value::Unknown, Value::Text),
        Value::Text(consumer.tag),
        Value::Number(consumer.prefetch),
        Value::Text(mode.into()),
        json(consumer.active),
        json(consumer.exclusive),
    ]
}
