//! `add-vhost`, `delete-vhost` and `list-vhosts`.

use crate::administration::{Added, Deleted};
use crate::names;
use crate::output::{Column, Listing, Value};
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;

/// Add a virtual host. One that exists already is left as it is.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "add-vhost", help_triggers("-h", "--help"))]
pub struct AddVhost {
    /// name of the virtual host
    #[argh(positional, arg_name = "VHOST")]
    vhost: String,
}

impl AddVhost {
    /// Adds it.
    ///
    /// # Errors
    /// Whatever kept it from being added.
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let context = |failure: Failure| failure.context(format!("add vhost {}", self.vhost));
        let vhost = names::vhost(&self.vhost)?;
        match session.broker()?.add_vhost(vhost).map_err(context)? {
            Added::New => session.diagnostics().detail(&format!("added vhost {vhost}")),
            Added::Existed => {
                session.diagnostics().notice(&format!("add vhost {vhost}: it exists already"));
            }
        }
        Ok(())
    }
}

/// Delete a virtual host, with all queues and messages on it, without asking. That it does not exist
/// is no error.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "delete-vhost", help_triggers("-h", "--help"))]
pub struct DeleteVhost {
    /// name of the virtual host
    #[argh(positional, arg_name = "VHOST")]
    vhost: String,
}

impl DeleteVhost {
    /// Deletes it.
    ///
    /// # Errors
    /// Whatever kept it from being deleted.
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let context = |failure: Failure| {
            let hint = match failure.exit() {
                Exit::TempFail => {
                    "; it goes on where the broker has begun (--timeout waits longer)"
                }
                _ => "",
            };
            Failure::new(failure.exit(), format!("delete vhost {}: {failure}{hint}", self.vhost))
        };
        let vhost = names::vhost(&self.vhost)?;
        let diagnostics = session.diagnostics();
        match session.broker()?.delete_vhost(vhost).map_err(context)? {
            Deleted::Now => {
                diagnostics.detail(&format!("deleted vhost {vhost}, and all that was on it"));
            }
            Deleted::Before => diagnostics
                .notice(&format!("delete vhost {vhost}: no such vhost; nothing to delete")),
        }
        Ok(())
    }
}

/// List the virtual hosts, one a line.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "list-vhosts", help_triggers("-h", "--help"))]
pub struct ListVhosts {}

impl ListVhosts {
    /// Lists them.
    ///
    /// # Errors
    /// Whatever kept them from being listed.
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let vhosts = session.broker()?.list_vhosts();
        let mut vhosts = vhosts.map_err(|failure| failure.context("list vhosts"))?;
        vhosts.sort();
        let mut listing = Listing::new([Column::text("vhost")]);
        for vhost in vhosts {
            listing.push([Value::Text(vhost)]);
        }
        session.print(&listing)
    }
}
