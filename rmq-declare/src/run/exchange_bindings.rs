//! Bindings of exchanges: what is done for each, and what is reported about it.

use crate::broker::check;
use crate::broker::exchange_binding;
use crate::broker::link::Link;
use crate::queue::binding::Binding;
use crate::queue::exchange::Exchange;
use crate::queue::misspelt;
use crate::report::Outcome;
use crate::run::task::Task;
use crate::run::{dry_run, performing, undoing};
use lapin::types::ShortString;
use rmq_common::failure::Failure;

/// Performs the task for the bindings of `destination`; `failed` are exchanges that were refused.
pub async fn perform(
    link: &Link,
    task: Task,
    destination: &ShortString,
    bindings: &[Binding],
    failed: &[Exchange],
) -> Result<Vec<Outcome>, Failure> {
    match task {
        Task::Declare => bind_all(link, destination, bindings, failed).await,
        Task::Check => check_all(link, destination).await,
        Task::DryRun => {
            let is_missing = check::is_missing_exchange(link, destination).await?;
            let state = if is_missing { "missing" } else { "unknown" };
            let name = destination.as_str();
            let line = |binding: &Binding| dry_run::line("binding", name, state, &binding.json());
            Ok(bindings.iter().map(line).collect())
        }
        Task::Unbind { pretend } => {
            let mut outcomes = Vec::new();
            let mut unbound = Vec::new();
            for binding in bindings {
                let done = exchange_binding::unbind(link, destination, binding, pretend).await?;
                unbound.push((binding, done));
            }
            outcomes.extend(undoing::reported(link, destination, unbound));
            Ok(outcomes)
        }
        _ => Ok(Vec::new()),
    }
}

async fn bind_all(
    link: &Link,
    destination: &ShortString,
    bindings: &[Binding],
    failed: &[Exchange],
) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::new();
    for binding in bindings {
        let needs = |exchange: &&Exchange| [destination, &binding.source].contains(&&exchange.name);
        let bound = match failed.iter().find(needs) {
            Some(exchange) => {
                let (vhost, exchange) = (link.vhost(), &exchange.name);
                Err(Failure::data(format!(
                    "bind {destination} in {vhost}: not tried, as exchange {exchange} failed"
                )))
            }
            None => exchange_binding::bind(link, destination, binding).await?,
        };
        match bound {
            Ok(()) => {
                let notices = misspelt::of_binding(&binding.arguments);
                outcomes.extend(notices.into_iter().map(Outcome::Notice));
            }
            Err(failure) => outcomes.push(Outcome::Failure(failure)),
        }
    }
    Ok(outcomes)
}

async fn check_all(link: &Link, destination: &ShortString) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = vec![Outcome::Notice(performing::bindings_unchecked(link))];
    if check::is_missing_exchange(link, destination).await? {
        let vhost = link.vhost();
        let why = format!("check exchange {destination} in {vhost}: missing");
        outcomes.push(Outcome::Difference(Failure::data(why)));
    }
    Ok(outcomes)
}
