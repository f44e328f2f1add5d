//! `set` and `list`.

use crate::administration::{Administration, Patterns};
use crate::names;
use crate::output::{Column, Listing};
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::failure::Failure;

/// Give a user permissions on a virtual host (-p), in place of those it had there. Each is a
/// regular expression over names of queues and exchanges; '' allows nothing, '.*' everything.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "set", help_triggers("-h", "--help"))]
pub struct Set {
    /// name of the user
    #[argh(positional, arg_name = "USER")]
    user: String,

    /// what the user may declare and delete
    #[argh(positional, arg_name = "CONF")]
    configure: String,

    /// what the user may publish to
    #[argh(positional, arg_name = "WRITE")]
    write: String,

    /// what the user may consume from
    #[argh(positional, arg_name = "READ")]
    read: String,
}

impl Set {
    /// Sets them.
    ///
    /// # Errors
    /// Whatever kept them from being set.
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let vhost = session.vhost()?;
        let context = |failure: Failure| {
            failure.context(format!("set permissions of {} on {vhost}", self.user))
        };
        let user = names::user(&self.user)?;
        let patterns =
            Patterns { configure: &*self.configure, write: &*self.write, read: &*self.read };
        session.broker()?.set_permissions(user, vhost, patterns).map_err(context)?;
        session.diagnostics().detail(&format!(
            "set permissions of {user} on {vhost}: configure '{}', write '{}', read '{}'",
            patterns.configure, patterns.write, patterns.read
        ));
        Ok(())
    }
}

/// List who has permissions on a virtual host (-p): user, configure, write, read.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "list", help_triggers("-h", "--help"))]
pub struct List {}

impl List {
    /// Lists them.
    ///
    /// # Errors
    /// Whatever kept them from being listed.
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let vhost = session.vhost()?;
        let permissions = session.broker()?.list_permissions(vhost);
        let mut permissions = permissions
            .map_err(|failure| failure.context(format!("list permissions on {vhost}")))?;
        permissions.sort();
        let columns = ["user", "configure", "write", "read"].map(Column::text);
        let mut listing = Listing::new(columns);
        for permission in permissions {
            let Patterns { configure, write, read } = permission.patterns;
            listing.push([permission.user, configure, write, read]);
        }
        session.print(&listing)
    }
}
