//! Removals and their reports: bindings, messages, exchanges.

use crate::broker::delete_exchange::{self, Deleted};
use crate::broker::link::Link;
use crate::broker::purge::{self, Purged};
use crate::broker::unbind::{self, Unbound};
use crate::plan::Job;
use crate::queue::binding::Binding;
use crate::report::Outcome;
use crate::report::counts;
use crate::values::shell;
use lapin::types::ShortString;
use rmq_common::failure::Failure;

/// Removes the bindings of a queue; with `pretend`, only reports which may exist.
pub async fn unbind_all(link: &Link, job: &Job, pretend: bool) -> Result<Vec<Outcome>, Failure> {
    let queue = &job.queue.name;
    let is_missing = unbind::is_missing(link, queue).await?;
    let mut all = Vec::new();
    for binding in &job.unwanted {
        let unbound = match is_missing {
            true => Unbound::Missing,
            false => unbind::unbind(link, queue, binding, pretend).await?,
        };
        all.push((binding, unbound));
    }
    Ok(reported(link, queue, all))
}

/// What is reported about the bindings of a queue or an exchange that were to be removed.
pub fn reported(link: &Link, name: &ShortString, all: Vec<(&Binding, Unbound)>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let mut is_unknown = false;
    for (binding, unbound) in all {
        let line = |state| Outcome::Line(counts::binding(name.as_str(), state, &binding.text()));
        outcomes.push(match unbound {
            Unbound::Gone => line("unbound"),
            Unbound::Missing => line("missing"),
            Unbound::Unknown => {
                is_unknown = true;
                line("unknown")
            }
            Unbound::Kept(failure) => Outcome::Failure(failure),
        });
    }
    if is_unknown {
        outcomes.push(Outcome::Notice(format!(
            "whether a binding exists is unknown: AMQP cannot query bindings (rmq-perm \
             list-bindings -p {})",
            shell::word(link.vhost())
        )));
    }
    outcomes
}

/// Removes the messages of a queue; with `pretend`, only counts them.
pub async fn purge(link: &Link, job: &Job, pretend: bool) -> Result<Vec<Outcome>, Failure> {
    let name = job.queue.name.as_str();
    Ok(match purge::purge(link, &job.queue.name, pretend).await? {
        Purged::Messages(messages) => vec![Outcome::Line(counts::purged(name, messages))],
        Purged::Down(why) => vec![Outcome::Line(counts::down(name)), Outcome::Difference(why)],
        Purged::Kept(failure) => vec![Outcome::Failure(failure)],
    })
}

/// Deletes an exchange; with `pretend`, only reports whether it exists.
pub async fn delete_exchange(
    link: &Link,
    name: &ShortString,
    if_unused: bool,
    pretend: bool,
) -> Result<Outcome, Failure> {
    let line = |state| Outcome::Line(counts::exchange(name.as_str(), state));
    Ok(match delete_exchange::delete(link, name, if_unused, pretend).await? {
        Deleted::Gone => line("deleted"),
        Deleted::Missing => line("missing"),
        Deleted::There => line("there"),
        Deleted::Kept(failure) => Outcome::Failure(failure),
    })
}
