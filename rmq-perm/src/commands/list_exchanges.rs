//! `list-exchanges`.

use super::everywhere::{columns, gather, row};
use crate::administration::Exchange;
use crate::output::{Column, Listing, Value};
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::failure::Failure;

/// List the exchanges of a virtual host (-p): name, type, durable, internal; with -v also
/// auto_delete, arguments. The default exchange has an empty name.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "list-exchanges", help_triggers("-h", "--help"))]
pub struct ListExchanges {
    /// list the exchanges of all virtual hosts, after the name of each
    #[argh(switch)]
    all: bool,
}

impl ListExchanges {
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let verbose = session.diagnostics().verbose();
        let shown = if verbose { 6 } else { 4 };
        let names = ["name", "type", "durable", "internal", "auto_delete", "arguments"];
        let names = names.into_iter().take(shown).map(Column::text);
        let found = gather(session, self.all, "exchanges", |broker, vhost| {
            broker.list_exchanges(vhost, verbose)
        })?;
        let mut listing = Listing::new(columns(self.all, names));
        for mut on in found {
            on.rows.sort();
            for exchange in on.rows {
                listing.push(row(self.all, &on.vhost, values(exchange).into_iter().take(shown)));
            }
        }
        session.print(&listing)
    }
}

fn values(exchange: Exchange) -> [Value; 6] {
    let json = |is: bool| Value::Json(is.to_string());
    [
        Value::Text(exchange.name),
        Value::Text(exchange.kind),
        json(exchange.durable),
        json(exchange.internal),
        json(exchange.auto_delete),
        exchange.arguments.map_or(Value::Unknown, Value::Json),
    ]
}
