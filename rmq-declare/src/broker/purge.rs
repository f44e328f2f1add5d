//! `--purge`.

use crate::broker::check::{Found, in_use, look};
use crate::broker::learn;
use crate::broker::link::Link;
use crate::refusal::{PURGE, Request, Subject};
use crate::report::counts::Counts;
use crate::values::shell;
use lapin::options::QueuePurgeOptions;
use lapin::types::ShortString;
use rmq_common::amqp_error::{AmqpError, Refusal, Refused};
use rmq_common::failure::Failure;
use std::cell::Cell;

#[derive(Debug)]
pub enum Purged {
    /// This number of messages was removed, or with `pretend` would be; `None` if unknown.
    Messages(Option<u32>),
    /// It cannot be used: why.
    Down(Failure),
    /// Nothing was removed.
    Kept(Failure),
}

/// Removes the messages that are ready for delivery; with `pretend`, only counts them.
pub async fn purge(link: &Link, queue: &ShortString, pretend: bool) -> Result<Purged, Failure> {
    let subject = Subject::Queue(queue.as_str(), None);
    let request = Request { verb: PURGE, subject, vhost: link.vhost(), user: link.user() };
    let missing = || Purged::Kept(Failure::data("no such queue").context(&request));
    // Another broker may ignore the type, and create what is missing.
    let found = look(link, queue).await?;
    // The refusal to purge a stream closes the connection, and answers the other requests on it.
    let queue_type = match &found {
        Found::Missing => return Ok(missing()),
        Found::Same(_) => learn::type_of(link, queue).await?,
        _ => None,
    };
    if queue_type.as_deref() == Some("stream") {
        let why = format!(
            "it is a stream, and RabbitMQ cannot purge streams; nothing was removed (rmq-declare \
             -p {} --delete {}, then declare it again)",
            shell::word(request.vhost),
            shell::name(queue.as_str())
        );
        return Ok(Purged::Kept(Failure::data(why).context(request)));
    }
    if pretend {
        return Ok(match in_use(link, queue, found).await {
            Found::Same(Counts { messages, .. }) | Found::Different(Counts { messages, .. }, _) => {
                Purged::Messages(Some(messages))
            }
            Found::Down(why) => Purged::Down(why),
            Found::Missing => missing(),
            Found::Unknown(failure) => Purged::Kept(failure),
        });
    }
    // So a queue that may be a stream is purged while no other such queue is, and the refusal is
    // its own.
    let alone = match queue_type.as_deref() {
        Some("classic" | "quorum") => None,
        _ => Some(link.alone().await),
    };
    let times = Cell::new(0);
    let answer = loop {
        let answer = link
            .ask(&format!("queue {queue}"), async |channel, _| {
                times.update(|times| times + 1);
                channel.queue_purge(queue.clone(), QueuePurgeOptions::default()).await
            })
            .await?;
        if !(alone.is_none() && answer.as_ref().is_err_and(is_not_implemented)) {
            break answer;
        }
    };
    Ok(match answer {
        // If the answer was lost, what the first request removed is unknown.
        Ok(messages) => Purged::Messages((times.get() == 1).then_some(messages)),
        Err(error) if error.is_not_found() => missing(),
        Err(error) if is_not_implemented(&error) => {
            let why =
                "RabbitMQ cannot purge queues of this type, such as streams; nothing was removed";
            Purged::Kept(Failure::data(why).context(request))
        }
        Err(error) => Purged::Kept(request.failure(error)),
    })
}

fn is_not_implemented(error: &AmqpError) -> bool {
    matches!(error, AmqpError::Refused(Refused { what: Refusal::NotImplemented, .. }))
}
