//! The queues of a virtual host whose list does not arrive in time: their names come from the
//! default exchange's bindings, for which the API reads no arguments, and then as many queues as
//! time allows are fetched one by one.

use super::broker::{Fetched, Http};
use super::declared;
use super::json::{each, text};
use super::queue::{columns, queue};
use crate::administration::Text;
use crate::queues::{Asked, Queue, Room};
use crate::unanswered::Effect;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use std::time::Instant;

/// All queues of `vhost`; those that were not fetched, with only their names.
///
/// # Errors
/// Not even the names arrive in time (75), or the broker refuses.
pub fn of_vhost(broker: &Http, vhost: &str, asked: Asked) -> Result<Vec<Queue>, Failure> {
    let declared = asked.declared;
    let until = Instant::now() + broker.limit();
    let columns = columns(asked);
    let more = if declared { format!(",{}", declared::COLUMNS) } else { String::new() };
    let query = format!("{columns}{more}");
    let (mut all, mut room, mut late) = (Vec::new(), Room::default(), 0);
    for name in names(broker, vhost)? {
        let name_text = String::from_utf8_lossy(&name);
        let left = until.saturating_duration_since(Instant::now());
        let fetched = match super::path::path(&[&name_text]) {
            Ok(_) => broker.fetch(left, &["queues", vhost, &name_text], &query)?,
            Err(_) => Fetched::TooLarge,
        };
        let found = match fetched {
            Fetched::Found(answer) => queue(&answer).map(|mut queue| {
                queue.declared = declared.then(|| declared::of(&answer, &mut room));
                queue
            }),
            Fetched::Missing => continue,
            Fetched::Late | Fetched::TooLarge => None,
        };
        all.push(found.unwrap_or_else(|| {
            late += 1;
            let declared = declared.then(|| declared::unknown(declared::NO_TIME));
            let unknown = || b"unknown".to_vec();
            Queue { name, kind: unknown(), state: unknown(), declared, ..Queue::default() }
        }));
    }
    let (count, place) = (all.len(), broker.place());
    broker.notice(&format!(
        "{place} did not list the queues of {vhost} within --timeout, so they were queried one \
         by one: {late} of {count} are shown by name only, messages are up to ten seconds old, \
         and queues that are down may be missing (give a longer --timeout, or --node instead of \
         --api)"
    ));
    Ok(all)
}

/// The names of the queues, sorted.
fn names(broker: &Http, vhost: &str) -> Result<Vec<Text>, Failure> {
    let path = ["exchanges", vhost, "amq.default", "bindings", "source"];
    let answer = broker.read_in_time(broker.limit(), &path, "?columns=destination")?;
    let Some(answer) = answer else {
        let place = broker.place();
        let why = format!(
            "{place} did not list the names of the queues in time (give a longer --timeout)"
        );
        return Err(Failure::new(Exit::TempFail, why));
    };
    if answer.status != 200 {
        return Err(broker.refusal(&answer, Effect::Reads));
    }
    let mut names = each(&answer.body, |binding| text(binding, "destination"))?;
    names.sort();
    Ok(names)
}
