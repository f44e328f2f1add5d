//! Looking at queues and exchanges without changing anything.

use crate::counts::Counts;
use crate::declare;
use crate::exchange::Exchange;
use crate::link::Link;
use crate::queue::Queue;
use crate::refusal::{Request, Subject};
use lapin::ExchangeKind;
use lapin::options::{ExchangeDeclareOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use rmq_common::amqp_error::{Trouble, reply};
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;

/// What a look found.
#[derive(Debug)]
pub enum Found<T> {
    /// It is there, and like what was asked for if anything was.
    Same(T),
    /// It is there, with other arguments: which, and how to see the rest.
    Different(T, Failure),
    /// It is not there.
    Missing,
    /// The broker would not say.
    Unknown(Failure),
}

/// Looks whether a queue is there, which changes nothing.
///
/// # Errors
/// When the broker cannot be asked.
pub async fn look(link: &Link, queue: &ShortString) -> Result<Found<Counts>, Failure> {
    let answer = link
        .ask(&format!("queue {queue}"), async |channel, _| {
            let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            channel.queue_declare(queue.clone(), passive, FieldTable::default()).await
        })
        .await?;
    let subject = Subject::Queue(queue.as_str(), None);
    Ok(found(link, subject, answer.map(|queue| Counts::from(&queue))))
}

/// Looks whether a queue is there and like what is asked for.
///
/// A passive declaration compares no arguments. So the comparison is a declaration proper, made
/// only once the passive one has found the queue: it confirms or is refused, and makes a queue only
/// if this one is deleted in the instant between.
///
/// # Errors
/// When the broker cannot be asked.
pub async fn compare(link: &Link, queue: &Queue) -> Result<Found<Counts>, Failure> {
    let counts = match look(link, &queue.name).await? {
        Found::Same(counts) => counts,
        other => return Ok(other),
    };
    Ok(compared(counts, declare::queue(link, queue, "check").await?))
}

/// Looks whether an exchange is there, which changes nothing.
///
/// # Errors
/// When the broker cannot be asked.
pub async fn look_for_exchange(link: &Link, exchange: &Exchange) -> Result<Found<()>, Failure> {
    let answer = link
        .ask(&format!("exchange {}", exchange.name), async |channel, _| {
            let passive =
                ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
            let (name, kind) = (exchange.name.clone(), ExchangeKind::default());
            channel.exchange_declare(name, kind, passive, FieldTable::default()).await
        })
        .await?;
    Ok(found(link, Subject::Exchange(exchange), answer))
}

/// Looks whether an exchange is there and like what is asked for, in the same way as [`compare`].
///
/// # Errors
/// When the broker cannot be asked.
pub async fn compare_exchange(link: &Link, exchange: &Exchange) -> Result<Found<()>, Failure> {
    match look_for_exchange(link, exchange).await? {
        Found::Same(()) => Ok(compared((), declare::exchange(link, exchange, "check").await?)),
        other => Ok(other),
    }
}

fn found<T>(link: &Link, subject: Subject<'_>, answer: Result<T, Trouble>) -> Found<T> {
    match answer {
        Ok(found) => Found::Same(found),
        Err(Trouble::Refused { code: reply::NOT_FOUND, .. }) => Found::Missing,
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
