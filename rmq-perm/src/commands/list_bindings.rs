//! `list-bindings`.

use super::everywhere::{columns, gather, row};
use crate::administration::Binding;
use crate::output::{Column, Listing, Value};
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::failure::Failure;

/// List the bindings of a virtual host (-p): source, destination, kind (queue or exchange),
/// routing_key; with -v also arguments. Those of the default exchange, which every queue has by
/// its own name, are left out.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "list-bindings", help_triggers("-h", "--help"))]
pub struct ListBindings {
    /// list the bindings of all virtual hosts, after the name of each
    #[argh(switch)]
    all: bool,
}

impl ListBindings {
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let verbose = session.diagnostics().verbose();
        let shown = if verbose { 5 } else { 4 };
        let names = ["source", "destination", "kind", "routing_key", "arguments"];
        let names = names.into_iter().take(shown).map(Column::text);
        let found = gather(session, self.all, "bindings", |broker, vhost| {
            broker.list_bindings(vhost, verbose)
        })?;
        let mut listing = Listing::new(columns(self.all, names));
        for mut on in found {
            on.rows.sort();
            for binding in on.rows {
                listing.push(row(self.all, &on.vhost, values(binding).into_iter().take(shown)));
            }
        }
        session.print(&listing)
    }
}

fn values(binding: Binding) -> [Value; 5] {
    [
        Value::Text(binding.source),
        Value::Text(binding.destination),
        Value::Text(binding.kind),
        Value::Text(binding.key),
        binding.arguments.map_or(Value::Unknown, Value::Json),
    ]
}
