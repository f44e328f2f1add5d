//! `apply`.

use crate::administration::{Administration, Grant, Rule, TopicGrant};
use crate::apply::change::Change;
use crate::apply::checks::unsendable;
use crate::apply::columns::Column;
use crate::apply::desired::{Desired, Problem};
use crate::apply::plan::{Lacking, plan};
use crate::apply::sections::Sections;
use crate::apply::state::{More, State};
use crate::apply::unnamed::{self, some_of};
use crate::confirmation;
use crate::output;
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::diagnostics::Diagnostics;
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;
use rmq_common::sheet::{Row, Sheet};
use rmq_common::signals;

/// Apply a CSV file of users and permissions (as dump and list --format csv write it), and show the
/// changes like a diff. Nothing is changed if any row is wrong.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "apply", help_triggers("-h", "--help"))]
pub struct Apply {
    /// show the changes, and make none; exit status 1 if there are any
    #[argh(switch)]
    dry_run: bool,

    /// remove what the file lacks on the virtual hosts it names; asks first
    #[argh(switch)]
    prune: bool,

    /// delete the users that the file lacks, if it has a column for users; asks first
    #[argh(switch)]
    prune_users: bool,

    /// leave out topic permissions at exchanges that do not exist yet
    #[argh(switch)]
    skip_missing_exchanges: bool,

    /// do not ask
    #[argh(switch)]
    yes: bool,

    /// make each pattern match whole names: ^(?:PATTERN)$
    #[argh(switch)]
    anchor: bool,

    /// the file, or - for standard input; its header row names the columns: vhost, user, configure,
    /// write, read, exchange, tags, password_hash, default_queue_type, description,
    /// max_connections, max_queues, max_channels
    #[argh(positional, arg_name = "FILE")]
    file: String,
}

impl Apply {
    pub fn run(&self, session: &Session) -> Result<Ending, Failure> {
        let context = |failure: Failure| failure.context("apply");
        let diagnostics = session.diagnostics();
        let prunes = [("--prune", self.prune), ("--prune-users", self.prune_users)];
        let asks = prunes.into_iter().find_map(|(option, is)| is.then_some(option));
        let asks = asks.filter(|_| !self.yes && !self.dry_run);
        let confirmation = asks.map(confirmation::Terminal::open).transpose()?;
        let sheet = Sheet::open(&self.file).map_err(context)?;
        diagnostics.trace(&format!("reading {}", sheet.name));
        for notice in &sheet.notices {
            diagnostics.notice(notice);
        }
        // A file that a program wrote ends its last row; otherwise the row may be incomplete.
        let is_cut = |last: &Row| last.written.end.is_empty();
        if (self.prune || self.prune_users) && sheet.rows.last().is_some_and(is_cut) {
            let name = &sheet.name;
            diagnostics.notice(&format!("{name}: the last line has no end; is the file complete?"));
        }
        let only = session.given_vhost().transpose()?;
        let sections = Sections::of(&sheet)
            .map_err(|why| Failure::data(format!("apply {}: {why}", sheet.name)))?;
        if self.prune_users && !sections.are_of_users() {
            let why = "--prune-users requires a column tags or password_hash in the file";
            return Err(Failure::data(format!("apply {}: {why}", sheet.name)));
        }
        let (mut desired, problems) = Desired::of(&sections, self.anchor, only);
        refuse(&sheet, problems, diagnostics)?;
        let mut broker = session.broker()?;
        let broker = broker.as_mut();
        let limits = [Column::MaxConnections, Column::MaxQueues, Column::MaxChannels];
        let more = More {
            hashes: sections.have(Column::PasswordHash),
            limits: limits.into_iter().any(|column| sections.have(column)),
        };
        let state = State::read(broker, more).map_err(context)?;
        if self.skip_missing_exchanges {
            let left_out = desired.without_missing_exchanges(&state, broker).map_err(context)?;
            report_left_out(&left_out, diagnostics);
        }
        let problems = desired.problems_with(&state, broker).map_err(context)?;
        refuse(&sheet, problems, diagnostics)?;
        for warning in desired.warnings(&sheet.name) {
            diagnostics.notice(&warning);
        }
        for warning in desired.tag_warnings(&sheet.name) {
            diagnostics.notice(&warning);
        }
        // A file about one virtual host does not say which other users there are.
        let users = self.prune && only.is_none() || self.prune_users;
        let changes = plan(&desired, &state, Lacking { permissions: self.prune, users });
        let to_make = changes.iter().filter(|it| self.prune_users || it.deleted_user().is_none());
        refuse(&sheet, unsendable(to_make, broker).map_err(context)?, diagnostics)?;
        if self.prune {
            unnamed::report(&desired, &state, only, diagnostics);
        }
        report_passwordless(&changes, diagnostics);
        let diff: String = changes.iter().map(Change::diff).collect();
        output::write(diff.as_bytes())?;
        let differs = !changes.is_empty();
        let changes = self.without_kept_users(changes, broker.own_user(), diagnostics);
        let changes = own_last(changes, broker.own_user());
        if self.dry_run || changes.is_empty() {
            let exit = if differs && self.dry_run { Exit::No } else { Exit::Ok };
            return Ok(exit.into());
        }
        let removals = changes.iter().filter(|change| change.prunes()).count();
        if let Some(terminal) = confirmation
            && removals > 0
            && !terminal.ask(&format!("Remove what the file lacks ({removals} in all)? [y/N] "))?
        {
            diagnostics.notice("apply: nothing was changed");
            return Ok(Exit::No.into());
        }
        make(&changes, broker, diagnostics)
            .map_err(|it| it.context(format!("apply {}", sheet.name)))
    }
}

impl Apply {
    /// The changes without the users that are not deleted, which are reported: all without
    /// `--prune-users`, and always the user that this run connects as.
    fn without_kept_users(
        &self,
        changes: Vec<Change>,
        own: Option<&str>,
        diagnostics: Diagnostics,
    ) -> Vec<Change> {
        let is_kept = |change: &Change| {
            change.deleted_user().is_some_and(|user| !self.prune_users || own == Some(user))
        };
        let (kept, changes): (Vec<_>, Vec<_>) = changes.into_iter().partition(is_kept);
        let kept: Vec<&str> = kept.iter().filter_map(Change::deleted_user).collect();
        if self.prune_users {
            for user in kept {
                diagnostics.notice(&format!(
                    "apply: user {user} is not deleted: this run connects as {user}"
                ));
            }
        } else if !kept.is_empty() {
            let (count, names) = (kept.len(), some_of(&kept));
            diagnostics.notice(&format!(
                "apply: users that the file lacks are not deleted: {count}: {names} \
                 (--prune-users deletes them)"
            ));
        }
        changes
    }
}

/// Reports what is wrong, if there is anything.
fn refuse(sheet: &Sheet, problems: Vec<Problem>, diagnostics: Diagnostics) -> Result<(), Failure> {
    let failures: Vec<Failure> =
        problems.into_iter().map(|problem| problem.failure(&sheet.name)).collect();
    let Some(worst) = failures.iter().map(Failure::exit).max() else { return Ok(()) };
    for failure in &failures {
        diagnostics.error(&failure.clone().context("apply"));
    }
    let (wrong, name) = (failures.len(), &sheet.name);
    let wrong = if wrong == 1 { "1 error".to_owned() } else { format!("{wrong} errors") };
    Err(Failure::new(worst, format!("apply {name}: {wrong}; nothing was changed")))
}

/// Makes the changes: permissions several at a time, everything else one by one.
fn make(
    changes: &[Change],
    broker: &mut dyn Administration,
    diagnostics: Diagnostics,
) -> Result<Ending, Failure> {
    let stop = signals::requests_to_stop()?;
    let all = changes.len();
    let left =
        |made: usize| format!("{made} of {all} changes were made; run it again to make the rest");
    let (mut made, mut signal) = (0, None);
    // A group ends only when all of it is made, so `made` is also the place of the next change.
    while let Some(rest @ [change, ..]) = changes.get(made..) {
        signal = signal.or_else(|| stop.try_recv().ok());
        if let Some(signal) = signal {
            diagnostics.notice(&format!("apply: stopped by a signal; {}", left(made)));
            return Ok(Ending::Signal(signal));
        }
        let rules = || rest.iter().map_while(Change::rule);
        let grants: Vec<Grant<'_>> = rules().map_while(Rule::on_vhost).collect();
        let topics: Vec<TopicGrant<'_>> = rules().map_while(Rule::on_topics).collect();
        let mut one_more = || {
            made += 1;
            signal = signal.or_else(|| stop.try_recv().ok());
            signal.is_none()
        };
        let outcome = match (&*grants, &*topics) {
            ([], []) => change.make(broker).map(|()| made += 1).map_err(|failure| (0, failure)),
            ([], topics) => broker.set_all_topic_permissions(topics, &mut one_more),
            (grants, _) => broker.set_all_permissions(grants, &mut one_more),
        };
        outcome.map_err(|(place, failure)| {
            let change = rest.get(place).unwrap_or(change);
            let at = change.line.map(|line| format!("line {line}: ")).unwrap_or_default();
            let (what, exit) = (change.name(), failure.exit());
            Failure::new(exit, format!("{at}{what}: {failure}; {}", left(made)))
        })?;
    }
    Ok(Exit::Ok.into())
}

/// Moves the changes to the user that this run connects as to the end: after them, its password may
/// differ, and its tags may not suffice.
fn own_last(changes: Vec<Change>, own: Option<&str>) -> Vec<Change> {
    let is_own = |change: &Change| change.login_of().is_some_and(|user| own == Some(user));
    let (own, mut changes): (Vec<_>, Vec<_>) = changes.into_iter().partition(is_own);
    changes.extend(own);
    changes
}

fn report_left_out(left_out: &[Rule<String>], diagnostics: Diagnostics) {
    if !left_out.is_empty() {
        let (count, names) = (left_out.len(), left_out.iter().map(Rule::to_string));
        diagnostics.notice(&format!(
            "apply: left out, because the exchange does not exist: {count}: {} (declare it and \
             apply the file again)",
            some_of(&names.collect::<Vec<_>>())
        ));
    }
}

/// Reported before any change: applying a listing without hashes elsewhere creates such users.
fn report_passwordless(changes: &[Change], diagnostics: Diagnostics) {
    let users: Vec<&str> = changes.iter().filter_map(Change::passwordless_user).collect();
    if !users.is_empty() {
        let (count, names) = (users.len(), some_of(&users));
        diagnostics.notice(&format!(
            "apply: new users have no password, so they cannot log in with one: {count}: \
             {names} (set it with rmq-perm change-password, or give it in a column \
             password_hash)"
        ));
    }
}
