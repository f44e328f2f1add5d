//! What the broker would not accept in a file, found before anything is changed.

use super::change::Change;
use super::columns::Column;
use super::desired::{Desired, Problem};
use super::exchanges::{self, Misplaced};
use super::rows::Wrong;
use super::state::State;
use crate::administration::{Administration, Rule};
use crate::pattern;
use crate::refusal::Refusal;
use rmq_common::failure::Failure;
use std::collections::{BTreeSet, HashMap};

impl Desired {
    /// Removes topic permissions on exchanges that do not exist; returns what was removed.
    pub fn without_missing_exchanges(
        &mut self,
        state: &State,
        broker: &mut dyn Administration,
    ) -> Result<Vec<Rule<String>>, Failure> {
        let misplaced = exchanges::misplaced(self, state, broker)?.into_iter();
        let missing = misplaced.filter(|it| matches!(it.why, Refusal::NoSuchExchange(_)));
        Ok(missing.filter_map(|it| self.rules.remove(&it.subject)).map(|(_, rule)| rule).collect())
    }

    /// The problems for this broker: virtual hosts and users that neither it nor the file has,
    /// exchanges on which topic permissions have no effect, and patterns that it refuses.
    pub fn problems_with(
        &self,
        state: &State,
        broker: &mut dyn Administration,
    ) -> Result<Vec<Problem>, Failure> {
        let mut problems = Vec::new();
        for (line, rule) in self.rules.values() {
            let (vhost, user) = (&*rule.vhost(), &*rule.user());
            let mut report = |column, refusal: Refusal, name: &str| {
                let failure = refusal.failure().context(name);
                let wrong = Wrong { column: Some(column), failure };
                problems.push(Problem { line: *line, wrong });
            };
            if !state.vhosts.contains_key(vhost.as_bytes()) && !self.vhosts.contains_key(vhost) {
                report(Column::Vhost, Refusal::NoSuchVhost, vhost);
            }
            if !state.users.contains_key(user.as_bytes()) && !self.users.contains_key(user) {
                report(Column::User, Refusal::NoSuchUser, user);
            }
        }
        problems.extend(fixed_queue_types(self, state, broker)?);
        let misplaced = exchanges::misplaced(self, state, broker)?;
        problems.extend(misplaced.iter().map(Misplaced::problem));
        let asked = self.patterns().map(|(_, _, pattern)| pattern);
        let known = objections(broker, asked).map_err(|(pattern, failure)| {
            failure.context(format!("ask about '{}'", pattern::shown(pattern)))
        })?;
        for (line, column, pattern) in self.patterns() {
            if let Some(why) = known.get(pattern) {
                let failure = Refusal::invalid_pattern(pattern, why).failure();
                problems.push(Problem { line, wrong: Wrong { column: Some(column), failure } });
            }
        }
        problems.sort_by_key(|problem| problem.line);
        Ok(problems)
    }
}

/// The broker's objections to those of `patterns` that it does not accept.
///
/// # Errors
/// One about which the broker did not answer, and why.
pub fn objections<'a>(
    broker: &mut dyn Administration,
    patterns: impl Iterator<Item = &'a str>,
) -> Result<HashMap<&'a str, String>, (&'a str, Failure)> {
    let asked: BTreeSet<&str> = patterns.filter(|it| !pattern::is_plain(it)).collect();
    let asked: Vec<&str> = asked.into_iter().collect();
    let objections = broker.objections_to(&asked);
    let objections = objections
        .map_err(|(place, failure)| (asked.get(place).copied().unwrap_or_default(), failure))?;
    let known = asked.into_iter().zip(objections);
    Ok(known.filter_map(|(pattern, objection)| Some((pattern, objection?))).collect())
}

/// Names in the planned changes that this transport cannot send.
///
/// # Errors
/// Something that is not in the file has such a name.
pub fn unsendable<'a>(
    changes: impl IntoIterator<Item = &'a Change>,
    broker: &dyn Administration,
) -> Result<Vec<Problem>, Failure> {
    let mut problems = Vec::new();
    for change in changes {
        let Some(failure) = change.named().iter().find_map(|name| broker.can_send(name).err())
        else {
            continue;
        };
        let Some(line) = change.line else { return Err(failure.context(change.name())) };
        problems.push(Problem { line, wrong: Wrong { column: None, failure } });
    }
    problems.sort_by_key(|problem| problem.line);
    Ok(problems)
}

/// Default queue types that the release cannot change.
fn fixed_queue_types(
    desired: &Desired,
    state: &State,
    broker: &mut dyn Administration,
) -> Result<Vec<Problem>, Failure> {
    let differing = desired.vhosts.iter().filter(|(vhost, (_, wanted))| {
        state.vhosts.get(vhost.as_bytes()).is_some_and(|before| {
            wanted.change.of_existing(before).default_queue_type != before.default_queue_type
        })
    });
    let lines: Vec<u64> = differing.map(|(_, (line, _))| *line).collect();
    if lines.is_empty() || broker.changes_queue_type()? {
        return Ok(Vec::new());
    }
    let problem = |line| {
        let failure = Refusal::FixedQueueType.failure();
        Problem { line, wrong: Wrong { column: Some(Column::DefaultQueueType), failure } }
    };
    Ok(lines.into_iter().map(problem).collect())
}
