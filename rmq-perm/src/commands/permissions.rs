//! `set`, `clear` and `list`.

use super::dry_run;
use crate::administration::{Administration, Kind, Patterns, Permission, Rule, Scope, Text};
use crate::names;
use crate::output::{Column, Listing, Value};
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;

/// Set a user's permissions on a virtual host (-p), in place of those it had there. Each is a regular
/// expression over names of queues and exchanges; '' allows nothing, '.*' everything.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "set", help_triggers("-h", "--help"))]
pub struct Set {
    /// make each pattern match whole names: ^(?:PATTERN)$
    #[argh(switch)]
    anchor: bool,

    /// show what would change, and change nothing; exit status 1 if anything would
    #[argh(switch)]
    pub dry_run: bool,

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
    pub fn run(&self, session: &Session) -> Result<Ending, Failure> {
        let (vhost, user) = (session.vhost()?, names::user(&self.user)?);
        let patterns =
            [("configure", &*self.configure), ("write", &*self.write), ("read", &*self.read)];
        let [configure, write, read] = session.patterns(self.anchor, patterns);
        let patterns = Patterns { configure: &*configure, write: &*write, read: &*read };
        set(session, &Rule::Vhost(Permission { vhost, user, patterns }), self.dry_run)
    }
}

/// Sets permissions of either kind, or shows what that would change.
pub(super) fn set(session: &Session, rule: &Rule<&str>, pretend: bool) -> Result<Ending, Failure> {
    let context = |failure: Failure| failure.context(format!("set {rule}"));
    let mut broker = session.broker()?;
    if pretend {
        return dry_run::show(&dry_run::set(broker.as_mut(), rule).map_err(context)?);
    }
    rule.set(broker.as_mut()).map_err(context)?;
    let patterns = rule.patterns().into_iter();
    let patterns: Vec<_> = patterns.map(|(name, it)| format!("{name} '{it}'")).collect();
    session.diagnostics().detail(&format!("set {rule}: {}", patterns.join(", ")));
    Ok(Exit::Ok.into())
}

/// Remove all permissions of a user on a virtual host (-p).
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "clear", help_triggers("-h", "--help"))]
pub struct Clear {
    /// show what would change, and change nothing; exit status 1 if anything would
    #[argh(switch)]
    pub dry_run: bool,

    /// name of the user
    #[argh(positional, arg_name = "USER")]
    user: String,
}

impl Clear {
    pub fn run(&self, session: &Session) -> Result<Ending, Failure> {
        let vhost = session.vhost()?;
        let context = |failure: Failure| {
            failure.context(format!("clear permissions of {} on {vhost}", self.user))
        };
        let user = names::user(&self.user)?;
        let mut broker = session.broker()?;
        if self.dry_run {
            let scope = Scope { vhost: Some(vhost.to_owned()), user: Some(user.to_owned()) };
            let is_meant = |rule: &Rule<Text>| rule.kind() == Kind::Permissions;
            let diff = dry_run::clear(broker.as_mut(), &scope, is_meant).map_err(context)?;
            return dry_run::show(&diff);
        }
        broker.clear_permissions(user, vhost).map_err(context)?;
        session.diagnostics().detail(&format!("cleared permissions of {user} on {vhost}"));
        Ok(Exit::Ok.into())
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
        list(session, &scope, Kind::Permissions, columns, |broker| {
            Ok(broker.list_permissions(&scope)?.into_iter().map(Rule::Vhost).collect())
        })
    }
}

/// Lists the permissions of either kind. Each row begins with its virtual host and its user; a
/// table or tab-separated values leave out a value that every row shares, as rabbitmqctl does.
pub(super) fn list(
    session: &Session,
    scope: &Scope,
    kind: Kind,
    columns: [&'static str; 3],
    rules: impl FnOnce(&mut dyn Administration) -> Result<Vec<Rule<Text>>, Failure>,
) -> Result<(), Failure> {
    let user = scope.user.iter().map(|user| format!(" of {user}"));
    let of: String = user.chain(scope.vhost.iter().map(|vhost| format!(" on {vhost}"))).collect();
    let context = |failure: Failure| failure.context(format!("list {}{of}", kind.name()));
    let mut rules = rules(session.broker()?.as_mut()).map_err(context)?;
    rules.sort_by_cached_key(Rule::subject);
    let by_vhost_alone = scope.vhost.is_some() && scope.user.is_none();
    let mut all = vec![
        Column::text("vhost").implied_if(by_vhost_alone),
        Column::text("user").implied_if(scope.user.is_some()),
    ];
    all.extend(columns.map(Column::text));
    let mut listing = Listing::new(all);
    for rule in rules {
        listing.push(rule.row().into_iter().cloned().map(Value::Text).collect::<Vec<_>>());
    }
    session.print(&listing)
}
