//! Looking at a queue without changing anything.

use crate::counts::Counts;
use crate::declare::declare;
use crate::link::Link;
use crate::queue::Shape;
use crate::refusal::{self, Request};
use lapin::options::QueueDeclareOptions;
use lapin::types::{FieldTable, ShortString};
use rmq_common::amqp_error::{Trouble, reply};
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;

/// What a look at a queue found.
#[derive(Debug)]
pub enum Found {
    /// It is there, and like what was asked for if anything was.
    Same(Counts),
    /// It is there, with other arguments: which, and how to see the rest.
    Different(Counts, Failure),
    /// It is not there.
    Missing,
    /// The broker would not say.
    Unknown(Failure),
}

/// Looks whether `queue` is there; with `compare`, whether it is like `shape` too.
///
/// A passive declaration compares no arguments. So the comparison is a declaration proper, made
/// only once the passive one has found the queue: it confirms or is refused, and makes a queue only
/// if this one is deleted in the instant between.
///
/// # Errors
/// When the broker cannot be asked.
pub async fn check(
    link: &mut Link,
    queue: &ShortString,
    shape: &Shape,
    compare: bool,
) -> Result<Found, Failure> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let counts = match link.declare(queue, options, |_| FieldTable::default()).await? {
        Ok(queue) => Counts::from(&queue),
        Err(Trouble::Refused { code: reply::NOT_FOUND, .. }) => return Ok(Found::Missing),
        Err(trouble) => {
            return Ok(Found::Unknown(refusal::of_checking(
                trouble,
                &Request {
                    verb: "check",
                    queue: queue.as_str(),
                    vhost: link.vhost(),
                    user: link.user(),
                    shape,
                    arguments: &FieldTable::default(),
                },
            )));
        }
    };
    if !compare {
        return Ok(Found::Same(counts));
    }
    Ok(match declare(link, queue, shape, "check").await? {
        Ok(_) => Found::Same(counts),
        Err(failure) if failure.exit() == Exit::DataErr => Found::Different(counts, failure),
        Err(failure) => Found::Unknown(failure),
    })
}
