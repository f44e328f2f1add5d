//! Checks queues and exchanges without changing them.

use crate::broker::declare::{self, Refused};
use crate::broker::link::{ANSWERS_WITHIN, Link, Reply};
use crate::queue::Queue;
use crate::queue::binding::Binding;
use crate::queue::exchange::Exchange;
use crate::refusal::{Request, Subject};
use crate::report::counts::Counts;
use lapin::ExchangeKind;
use lapin::options::{ExchangeDeclareOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use rmq_common::amqp_error::AmqpError;
use rmq_common::declaration::Declaration;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use std::time::Duration;

/// The result of a check.
#[derive(Debug)]
pub enum Found<T> {
    /// It exists, and matches what was asked for, if anything was.
    Same(T),
    /// It exists with other arguments: which, and how to list the rest.
    Different(T, Failure),
    /// It exists but cannot be used or queried: why.
    Down(Failure),
    /// It does not exist.
    Missing,
    /// The broker refused to answer.
    Unknown(Failure),
}

/// Checks passively whether a queue exists; one that does not answer within `limit` is down.
pub async fn look_within(
    link: &Link,
    queue: &ShortString,
    limit: Duration,
) -> Result<Found<Counts>, Failure> {
    let reply = link
        .look(&format!("queue {queue}"), limit, async |channel, _| {
            let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            channel.queue_declare(queue.clone(), passive, FieldTable::default()).await
        })
        .await?;
    let subject = Subject::Queue(queue.as_str(), None);
    Ok(match reply {
        Reply::Is(queue) => Found::Same(Counts::from(&queue)),
        Reply::Refused(trouble) => found(link, subject, Err(trouble)),
        Reply::Unavailable(why) => Found::Down(down(link, queue, why)),
    })
}

/// The same with the default limit.
pub async fn look(link: &Link, queue: &ShortString) -> Result<Found<Counts>, Failure> {
    look_within(link, queue, ANSWERS_WITHIN).await
}

/// Checks whether an existing queue can be used, as far as AMQP shows.
pub async fn in_use(link: &Link, queue: &ShortString, found: Found<Counts>) -> Found<Counts> {
    in_use_within(link, queue, found, ANSWERS_WITHIN).await
}

/// The same with another limit.
pub async fn in_use_within(
    link: &Link,
    queue: &ShortString,
    found: Found<Counts>,
    limit: Duration,
) -> Found<Counts> {
    let (Found::Same(counts) | Found::Different(counts, _)) = &found else {
        return found;
    };
    if *counts != Counts::default() {
        return found;
    }
    match link.leaders().why_down(link.connector(), queue, limit).await {
        Some(why) => Found::Down(down(link, queue, why)),
        None => found,
    }
}

fn down(link: &Link, queue: &ShortString, why: String) -> Failure {
    let subject = Subject::Queue(queue.as_str(), None);
    let request = Request { verb: "check", subject, vhost: link.vhost(), user: link.user() };
    Failure::new(Exit::No, why).context(request)
}

/// Checks whether a queue exists and matches; also returns a different one's full description, if
/// known.
///
/// A passive declaration does not compare arguments, so the comparison is a real declaration, made
/// only after the passive one has found the queue. It is confirmed or refused, and creates a queue
/// only if this one is deleted in the meantime.
pub async fn compare(
    link: &Link,
    queue: &Queue,
) -> Result<(Found<Counts>, Option<Declaration>), Failure> {
    let counts = match look(link, &queue.name).await? {
        Found::Same(counts) => counts,
        other => return Ok((other, None)),
    };
    Ok(match declare::queue(link, queue, "check").await? {
        Ok(_) => (Found::Same(counts), None),
        Err(Refused { failure, is }) => (compared::<_, ()>(counts, Err(failure)), is),
    })
}

/// Checks passively whether an exchange exists.
pub async fn look_for_exchange(link: &Link, exchange: &Exchange) -> Result<Found<()>, Failure> {
    let answer = passive_exchange(link, &exchange.name).await?;
    Ok(found(link, Subject::Exchange(exchange), answer))
}

/// Declares an exchange passively.
pub async fn passive_exchange(
    link: &Link,
    name: &ShortString,
) -> Result<Result<(), AmqpError>, Failure> {
    link.ask(&format!("exchange {name}"), async |channel, _| {
        let passive = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
        let (name, kind) = (name.clone(), ExchangeKind::default());
        channel.exchange_declare(name, kind, passive, FieldTable::default()).await
    })
    .await
}

/// Whether an exchange is known to be missing.
pub async fn is_missing_exchange(link: &Link, name: &ShortString) -> Result<bool, Failure> {
    Ok(passive_exchange(link, name).await?.is_err_and(|error| error.is_not_found()))
}

/// The failures of a queue's bindings whose exchange does not exist.
pub async fn without_source(
    link: &Link,
    queue: &ShortString,
    bindings: &[Binding],
) -> Result<Vec<Failure>, Failure> {
    let mut failures = Vec::new();
    for binding in bindings {
        let answer = passive_exchange(link, &binding.source).await?;
        if let Err(missing) = answer
            && missing.is_not_found()
        {
            let subject = Subject::Binding(queue.as_str(), binding);
            let request = Request { verb: "bind", subject, vhost: link.vhost(), user: link.user() };
            failures.push(request.failure(missing));
        }
    }
    Ok(failures)
}

/// Whether a queue is known to be missing.
pub async fn is_missing(link: &Link, queue: &ShortString) -> Result<bool, Failure> {
    Ok(matches!(look(link, queue).await?, Found::Missing))
}

/// Checks whether an exchange exists and matches, in the same way as [`compare`].
pub async fn compare_exchange(link: &Link, exchange: &Exchange) -> Result<Found<()>, Failure> {
    match look_for_exchange(link, exchange).await? {
        Found::Same(()) => Ok(compared((), declare::exchange(link, exchange, "check").await?)),
        other => Ok(other),
    }
}

fn found<T>(link: &Link, subject: Subject<'_>, answer: Result<T, AmqpError>) -> Found<T> {
    match answer {
        Ok(found) => Found::Same(found),
        Err(error) if error.is_not_found() => Found::Missing,
        Err(trouble) => {
            let request =
                Request { verb: "check", subject, vhost: link.vhost(), user: link.user() };
            Found::Unknown(request.failure(trouble))
        }
    }
}

fn compared<T, A>(found: T, answer: Result<A, Failure>) -> Found<T> {
    match answer {
        Ok(_) => Found::Same(found),
        Err(failure) if failure.exit() == Exit::DataErr => Found::Different(found, failure),
        Err(failure) => Found::Unknown(failure),
    }
}
