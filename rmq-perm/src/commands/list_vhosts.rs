//! `list-vhosts`.

use super::columns;
use crate::administration::{Vhost, VhostTraits};
use crate::output::{Column, Listing, Value};
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::failure::Failure;

/// List the virtual hosts, one a line; with -v also default_queue_type, description, tags; or the
/// given columns.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "list-vhosts", help_triggers("-h", "--help"))]
pub struct ListVhosts {
    /// columns to list, in this order
    #[argh(positional, arg_name = "COLUMN")]
    columns: Vec<String>,
}

/// The columns, in the order of `-v`; the first is listed without it.
const COLUMNS: [&str; 4] = ["vhost", "default_queue_type", "description", "tags"];

impl ListVhosts {
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let shown = columns::chosen(&self.columns, &COLUMNS, 1, session)?;
        let context = |failure: Failure| failure.context("list vhosts");
        let mut broker = session.broker()?;
        let mut vhosts = if shown.iter().all(|name| *name == "vhost") {
            let names = broker.list_vhosts().map_err(context)?.into_iter();
            names.map(|name| Vhost { name, traits: VhostTraits::default() }).collect()
        } else {
            broker.describe_vhosts().map_err(context)?
        };
        vhosts.sort_by(|one, other| one.name.cmp(&other.name));
        let mut listing = Listing::new(shown.iter().map(|it| Column::text(it)).collect::<Vec<_>>());
        for vhost in vhosts {
            listing.push(shown.iter().map(|name| value(&vhost, name)).collect::<Vec<_>>());
        }
        session.print(&listing)
    }
}

fn value(vhost: &Vhost, column: &str) -> Value {
    let Vhost { name, traits: VhostTraits { default_queue_type, description, tags } } = vhost;
    match column {
        "vhost" => Value::Text(name.clone()),
        "default_queue_type" => default_queue_type.clone().map_or(Value::Unknown, Value::Text),
        "description" => Value::Text(description.clone()),
        _ => Value::Texts(tags.clone()),
    }
}
