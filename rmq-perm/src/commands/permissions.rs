//! `set`, `clear` and `list`.

use crate::administration::{Administration, Grant, Patterns, Permission, Scope, Text};
use crate::names;
use crate::output::{Column, Listing, Value};
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::failure::Failure;

/// Set a user's permissions on a virtual host (-p), in place of those it had there. Each is a regular
/// expression over names of queues and exchanges; '' allows nothing, '.*' everything.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "set", help_triggers("-h", "--help"))]
pub struct Set {
    /// make each pattern match whole names: ^(?:PATTERN)$
    #[argh(switch)]
    anchor: bool,

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
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let vhost = session.vhost()?;
        let context = |failure: Failure| {
            failure.context(format!("set permissions of {} on {vhost}", self.user))
        };
        let user = names::user(&self.user)?;
        let patterns =
            [("configure", &*self.configure), ("write", &*self.write), ("read", &*self.read)];
        let [configure, write, read] = session.patterns(self.anchor, patterns);
        let patterns = Patterns { configure: &*configure, write: &*write, read: &*read };
        session.broker()?.set_permissions(Grant { user, vhost, patterns }).map_err(context)?;
        session.diagnostics().detail(&format!(
            "set permissions of {user} on {vhost}: configure '{}', write '{}', read '{}'",
            patterns.configure, patterns.write, patterns.read
        ));
        Ok(())
    }
}

/// Remove all permissions of a user on a virtual host (-p).
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "clear", help_triggers("-h", "--help"))]
pub struct Clear {
    /// name of the user
    #[argh(positional, arg_name = "USER")]
    user: String,
}

impl Clear {
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let vhost = session.vhost()?;
        let context = |failure: Failure| {
            failure.context(format!("clear permissions of {} on {vhost}", self.user))
        };
        let user = names::user(&self.user)?;
        session.broker()?.clear_permissions(user, vhost).map_err(context)?;
        session.diagnostics().detail(&format!("cleared permissions of {user} on {vhost}"));
        Ok(())
    }
}

/// List permissions: of all users on a virtual host (-p), of one user, or all. In csv and json each
/// row has its virtual host and its user; apply reads the csv.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "list", help_triggers("-h", "--help"))]
pub struct List {
    /// list permissions on all virtual hosts
    #[argh(switch)]
    all: bool,

    /// USER is required
    #[argh(switch, hidden_help)]
    of_user: bool,

    /// list only this user's, on all virtual hosts unless -p is given
    #[argh(positional, arg_name = "USER")]
    user: Option<String>,
}

impl List {
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let scope = session.scope(self.user.as_deref(), self.all, self.of_user)?;
        let columns = ["configure", "write", "read"];
        list(session, &scope, "permissions", columns, |broker| {
            let permissions = broker.list_permissions(&scope)?;
            Ok(permissions.into_iter().map(Permission::row).collect())
        })
    }
}

/// Lists the permissions of either kind. Each row begins with its virtual host and its user; a table
/// or tab-separated values leave out what is the same in each row, as rabbitmqctl does.
pub(super) fn list(
    session: &Session,
    scope: &Scope,
    kind: &str,
    columns: [&'static str; 3],
    rows: impl FnOnce(&mut dyn Administration) -> Result<Vec<[Text; 5]>, Failure>,
) -> Result<(), Failure> {
    let user = scope.user.iter().map(|user| format!(" of {user}"));
    let of: String = user.chain(scope.vhost.iter().map(|vhost| format!(" on {vhost}"))).collect();
    let context = |failure: Failure| failure.context(format!("list {kind}{of}"));
    let mut rows = rows(session.broker()?.as_mut()).map_err(context)?;
    rows.sort();
    let by_vhost_alone = scope.vhost.is_some() && scope.user.is_none();
    let mut all = vec![
        Column::text("vhost").implied_if(by_vhost_alone),
        Column::text("user").implied_if(scope.user.is_some()),
    ];
    all.extend(columns.map(Column::text));
    let mut listing = Listing::new(all);
    for row in rows {
        listing.push(row.map(Value::Text));
    }
    session.print(&listing)
}
