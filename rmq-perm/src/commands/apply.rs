//! `apply`.

use crate::administration::{Administration, Grant};
use crate::apply::columns::Columns;
use crate::apply::plan::{Change, What, plan};
use crate::apply::state::State;
use crate::apply::wishes::{Problem, Wishes};
use crate::confirmation;
use crate::output;
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::diagnostics::Diagnostics;
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;
use rmq_common::sheet::Sheet;
use rmq_common::signals;

/// Make permissions what a CSV file says (as list --format csv writes it), and show what differs
/// like a diff. Nothing is changed if any row is wrong.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "apply", help_triggers("-h", "--help"))]
pub struct Apply {
    /// show what would be changed, and change nothing; exit status 1 if anything would be
    #[argh(switch)]
    dry_run: bool,

    /// take away what the file lacks on the virtual hosts it names; asks first
    #[argh(switch)]
    prune: bool,

    /// do not ask
    #[argh(switch)]
    yes: bool,

    /// make each pattern match whole names: ^(?:PATTERN)$
    #[argh(switch)]
    anchor: bool,

    /// the file, or - for standard input; its header row names the columns: vhost, user, configure,
    /// write, read, and if need be exchange, tags, password_hash
    #[argh(positional, arg_name = "FILE")]
    file: String,
}

impl Apply {
    /// Applies it.
    ///
    /// # Errors
    /// Whatever kept the file from being applied.
    pub fn run(&self, session: &Session) -> Result<Ending, Failure> {
        let context = |failure: Failure| failure.context("apply");
        let diagnostics = session.diagnostics();
        let may_ask = self.prune && !self.yes && !self.dry_run;
        let confirmation = may_ask.then(confirmation::Terminal::open).transpose()?;
        let sheet = Sheet::open(&self.file).map_err(context)?;
        for notice in &sheet.notices {
            diagnostics.notice(notice);
        }
        let only = session.given_vhost().transpose()?;
        let columns = Columns::of(&sheet.header)
            .map_err(|why| Failure::data(format!("apply {}: {why}", sheet.name)))?;
        let (wishes, problems) = Wishes::of(&sheet, &columns, self.anchor, only);
        refuse(&sheet, problems, diagnostics)?;
        let mut broker = session.broker()?;
        let broker = broker.as_mut();
        let state = State::read(broker).map_err(context)?;
        let problems = wishes.problems_with(&state, broker).map_err(context)?;
        refuse(&sheet, problems, diagnostics)?;
        for doubt in wishes.doubts(&sheet.name) {
            diagnostics.notice(&doubt);
        }
        let changes = plan(&wishes, &state, self.prune);
        if self.prune {
            tell_unnamed(&wishes, &state, only, diagnostics);
        }
        let diff: String = changes.iter().map(Change::diff).collect();
        output::write(diff.as_bytes())?;
        if self.dry_run || changes.is_empty() {
            let exit = if changes.is_empty() { Exit::Ok } else { Exit::No };
            return Ok(exit.into());
        }
        let removals = changes.iter().filter(|change| change.prunes()).count();
        if let Some(terminal) = confirmation
            && removals > 0
            && !terminal.ask(&format!("Take away {removals} that the file lacks? [y/N] "))?
        {
            diagnostics.notice("apply: nothing was changed");
            return Ok(Exit::No.into());
        }
        make(&changes, broker, diagnostics)
            .map_err(|it| it.context(format!("apply {}", sheet.name)))
    }
}

/// Tells what is wrong, if anything is.
fn refuse(sheet: &Sheet, problems: Vec<Problem>, diagnostics: Diagnostics) -> Result<(), Failure> {
    let failures: Vec<Failure> =
        problems.into_iter().map(|problem| problem.failure(&sheet.name)).collect();
    let Some(worst) = failures.iter().map(Failure::exit).max() else { return Ok(()) };
    for failure in &failures {
        diagnostics.error(&failure.clone().context("apply"));
    }
    let (wrong, name) = (failures.len(), &sheet.name);
    let wrong = if wrong == 1 { "1 mistake".to_owned() } else { format!("{wrong} mistakes") };
    Err(Failure::new(worst, format!("apply {name}: {wrong}; nothing was changed")))
}

/// Permissions that pruning does not look at, because the file does not name their virtual host.
fn tell_unnamed(wishes: &Wishes, state: &State, only: Option<&str>, diagnostics: Diagnostics) {
    const SHOWN: usize = 5;
    let named = wishes.named_vhosts();
    let mut unnamed: Vec<String> = state
        .permissions
        .keys()
        .map(|(vhost, _)| String::from_utf8_lossy(vhost).into_owned())
        .filter(|vhost| !named.contains(&**vhost) && only.is_none_or(|only| only == vhost))
        .collect();
    unnamed.dedup();
    if !unnamed.is_empty() {
        let more = if unnamed.len() > SHOWN { ", ..." } else { "" };
        let count = unnamed.len();
        unnamed.truncate(SHOWN);
        let unnamed = unnamed.join(", ");
        diagnostics.notice(&format!(
            "apply: the file names none of {count} virtual hosts with permissions, which are left \
             alone: {unnamed}{more}"
        ));
    }
}

/// Makes the changes: permissions several at once, all else one after the other.
fn make(
    changes: &[Change],
    broker: &mut dyn Administration,
    diagnostics: Diagnostics,
) -> Result<Ending, Failure> {
    let stop = signals::requests_to_stop()?;
    let all = changes.len();
    let left = |made: usize| {
        format!("{made} of {all} changes were made, and running it again makes the others")
    };
    let (mut made, mut signal) = (0, None);
    // A group is over only once all of it is made, so what is next stands where the count says.
    while let Some(rest @ [change, ..]) = changes.get(made..) {
        signal = signal.or_else(|| stop.try_recv().ok());
        if let Some(signal) = signal {
            diagnostics.notice(&format!("apply: stopped by a signal; {}", left(made)));
            return Ok(Ending::Signal(signal));
        }
        let grants: Vec<Grant<'_>> = rest.iter().map_while(Change::grant).collect();
        let outcome = if grants.is_empty() {
            change.make(broker).map(|()| made += 1).map_err(|failure| (0, failure))
        } else {
            broker.set_all_permissions(&grants, &mut || {
                made += 1;
                signal = signal.or_else(|| stop.try_recv().ok());
                signal.is_none()
            })
        };
        outcome.map_err(|(place, failure)| {
            let change = rest.get(place).unwrap_or(change);
            let at = change.line.map(|line| format!("line {line}: ")).unwrap_or_default();
            let (what, exit) = (change.name(), failure.exit());
            Failure::new(exit, format!("{at}{what}: {failure}; {}", left(made)))
        })?;
        tell_passwordless(change, diagnostics);
    }
    Ok(Exit::Ok.into())
}

fn tell_passwordless(change: &Change, diagnostics: Diagnostics) {
    if let What::AddUser { user, hash: None, .. } = &change.what {
        diagnostics.notice(&format!(
            "apply: the new user {user} has no password and cannot log in with one before \
             rmq-perm change-password gives it one"
        ));
    }
}
