//! `set-vhost-limits`, `clear-vhost-limits` and `list-vhost-limits`, and the same of users.

mod values;

use super::dry_run;
use crate::administration::{Holder, Limited, LimitsChange};
use crate::names;
use crate::output::{Column, Listing, Value};
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;
use values::{Limit, of_json};

/// Limit the connections and queues of a virtual host (-p).
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "set-vhost-limits", help_triggers("-h", "--help"))]
pub struct SetVhostLimits {
    /// show what would change, and change nothing; exit status 1 if anything would
    #[argh(switch)]
    pub dry_run: bool,

    /// how many connections it can have
    #[argh(option, arg_name = "N|none")]
    max_connections: Option<Limit>,

    /// how many queues it can have
    #[argh(option, arg_name = "N|none")]
    max_queues: Option<Limit>,

    /// rabbitmqctl's form: JSON
    #[argh(positional, hidden_help)]
    json: Option<String>,
}

impl SetVhostLimits {
    pub fn run(&self, session: &Session) -> Result<Ending, Failure> {
        let given = [self.max_connections, self.max_queues];
        let change = asked(Holder::Vhost, given, self.json.as_deref())?;
        make(session, Holder::Vhost, session.vhost()?, change, "set", self.dry_run)
    }
}

/// Remove all limits of a virtual host (-p).
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "clear-vhost-limits", help_triggers("-h", "--help"))]
pub struct ClearVhostLimits {
    /// show what would change, and change nothing; exit status 1 if anything would
    #[argh(switch)]
    pub dry_run: bool,
}

impl ClearVhostLimits {
    pub fn run(&self, session: &Session) -> Result<Ending, Failure> {
        let change = removal(Holder::Vhost, "all")?;
        make(session, Holder::Vhost, session.vhost()?, change, "clear", self.dry_run)
    }
}

/// List the limits of the virtual hosts that have any, or of one (-p): vhost, max_connections,
/// max_queues.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "list-vhost-limits", help_triggers("-h", "--help"))]
pub struct ListVhostLimits {}

impl ListVhostLimits {
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        list(session, Holder::Vhost, session.given_vhost().transpose()?)
    }
}

/// Limit the connections and channels of a user.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "set-user-limits", help_triggers("-h", "--help"))]
pub struct SetUserLimits {
    /// show what would change, and change nothing; exit status 1 if anything would
    #[argh(switch)]
    pub dry_run: bool,

    /// how many connections the user can have
    #[argh(option, arg_name = "N|none")]
    max_connections: Option<Limit>,

    /// how many channels the user can have, over all connections
    #[argh(option, arg_name = "N|none")]
    max_channels: Option<Limit>,

    /// name of the user
    #[argh(positional, arg_name = "USER")]
    user: String,

    /// rabbitmqctl's form: JSON
    #[argh(positional, hidden_help)]
    json: Option<String>,
}

impl SetUserLimits {
    pub fn run(&self, session: &Session) -> Result<Ending, Failure> {
        let given = [self.max_connections, self.max_channels];
        let change = asked(Holder::User, given, self.json.as_deref())?;
        make(session, Holder::User, names::user(&self.user)?, change, "set", self.dry_run)
    }
}

/// Remove the limits of a user, or one of them.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "clear-user-limits", help_triggers("-h", "--help"))]
pub struct ClearUserLimits {
    /// show what would change, and change nothing; exit status 1 if anything would
    #[argh(switch)]
    pub dry_run: bool,

    /// name of the user
    #[argh(positional, arg_name = "USER")]
    user: String,

    /// the limit to remove (default: all)
    #[argh(
        positional,
        arg_name = "all|max-connections|max-channels",
        default = "\"all\".to_owned()"
    )]
    limit: String,
}

impl ClearUserLimits {
    pub fn run(&self, session: &Session) -> Result<Ending, Failure> {
        let change = removal(Holder::User, &self.limit)?;
        make(session, Holder::User, names::user(&self.user)?, change, "clear", self.dry_run)
    }
}

/// List the limits of the users who have any, or of one: user, max_connections, max_channels.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "list-user-limits", help_triggers("-h", "--help"))]
pub struct ListUserLimits {
    /// name of the user
    #[argh(positional, arg_name = "USER")]
    user: Option<String>,
}

impl ListUserLimits {
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        list(session, Holder::User, self.user.as_deref().map(names::user).transpose()?)
    }
}

/// The change that the options, or rabbitmqctl's form of them, ask for.
fn asked(
    holder: Holder,
    given: [Option<Limit>; 2],
    json: Option<&str>,
) -> Result<LimitsChange, Failure> {
    let mut change = LimitsChange(given.map(|limit| limit.map(|it| it.0)));
    if let Some(json) = json {
        change = of_json(holder, json).map_err(Failure::usage)?;
    }
    if change == LimitsChange::default() {
        let [one, other] = holder.limits();
        let why = format!("nothing to set: give --{one} or --{other}");
        return Err(Failure::usage(format!("set-{}-limits: {why}", holder.name())));
    }
    Ok(change)
}

/// The removal of the limit of that name, or of all.
fn removal(holder: Holder, limit: &str) -> Result<LimitsChange, Failure> {
    let known = holder.limits();
    if limit != "all" && !known.contains(&limit) {
        let names = known.join(" or ");
        return Err(Failure::usage(format!("'{limit}' is not a limit; use all, {names}")));
    }
    Ok(LimitsChange(known.map(|it| (limit == "all" || limit == it).then_some(None))))
}

fn make(
    session: &Session,
    holder: Holder,
    name: &str,
    change: LimitsChange,
    verb: &str,
    pretend: bool,
) -> Result<Ending, Failure> {
    let what = format!("{verb} limits of {} {name}", holder.name());
    let context = |failure: Failure| failure.context(&*what);
    let mut broker = session.broker()?;
    if pretend {
        let diff = dry_run::limits(broker.as_mut(), holder, name, change);
        return dry_run::show(&diff.map_err(context)?);
    }
    broker.set_limits(holder, name, change).map_err(context)?;
    session.diagnostics().detail(&format!("{what}: done"));
    Ok(Exit::Ok.into())
}

fn list(session: &Session, holder: Holder, only: Option<&str>) -> Result<(), Failure> {
    let kind = holder.name();
    let what = only
        .map_or(format!("list limits of {kind}s"), |only| format!("list limits of {kind} {only}"));
    let context = |failure: Failure| failure.context(&*what);
    let mut broker = session.broker()?;
    match (holder, only) {
        (Holder::Vhost, Some(vhost)) => broker.require_vhost(vhost).map_err(context)?,
        (Holder::User, Some(user)) => broker.require_user(user).map_err(context)?,
        (_, None) => {}
    }
    let mut all = broker.list_limits(holder).map_err(context)?;
    all.retain(|(name, _)| only.is_none_or(|only| only.as_bytes() == name));
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    let [connections, other] = match holder {
        Holder::Vhost => ["max_connections", "max_queues"],
        Holder::User => ["max_connections", "max_channels"],
    };
    let columns = [Column::text(kind), Column::number(connections), Column::number(other)];
    let mut listing = Listing::new(columns);
    for (name, Limited(limits)) in all {
        let limits = limits.map(|it| it.map_or(Value::Unknown, |it| Value::Number(it.into())));
        let [connections, other] = limits;
        listing.push([Value::Text(name), connections, other]);
    }
    session.print(&listing)
}
