//! `--unbind`.
//!
//! RabbitMQ 3.10 to 4.3 answers that a binding is removed even if it, its queue or its exchange does
//! not exist, and AMQP cannot query bindings. So only a missing queue or exchange is known.

use crate::broker::check::{Found, look_within, passive_exchange};
use crate::broker::delete::LOOK;
use crate::broker::link::Link;
use crate::queue::binding::Binding;
use crate::refusal::{Request, Subject, UNBIND};
use lapin::types::ShortString;
use rmq_common::amqp_error::AmqpError;
use rmq_common::failure::Failure;

#[derive(Debug)]
pub enum Unbound {
    /// There is no such binding now.
    Gone,
    /// The queue or the exchange does not exist, so neither does the binding.
    Missing,
    /// With `pretend`: the queue and the exchange exist.
    Unknown,
    /// It was not removed.
    Kept(Failure),
}

/// Whether a queue is missing; one that does not answer soon is not known to be.
pub async fn is_missing(link: &Link, queue: &ShortString) -> Result<bool, Failure> {
    Ok(matches!(look_within(link, queue, LOOK).await?, Found::Missing))
}

/// Removes a binding of an existing queue; with `pretend`, only checks the exchange.
pub async fn unbind(
    link: &Link,
    queue: &ShortString,
    binding: &Binding,
    pretend: bool,
) -> Result<Unbound, Failure> {
    match passive_exchange(link, &binding.source).await? {
        Err(error) if error.is_not_found() => return Ok(Unbound::Missing),
        _ if pretend => return Ok(Unbound::Unknown),
        // If it cannot be checked, the next answer says why.
        _ => {}
    }
    removed(link, Subject::Binding(queue.as_str(), binding), binding, async |binding| {
        link.ask(&format!("binding of {queue}"), async |channel, _| {
            let Binding { source, key, arguments } = binding.clone();
            channel.queue_unbind(queue.clone(), source, key, arguments).await
        })
        .await
    })
    .await
}

/// Removes `binding`, which is `subject`, by `remove`, in each form that its arguments may have.
pub async fn removed(
    link: &Link,
    subject: Subject<'_>,
    binding: &Binding,
    remove: impl AsyncFn(&Binding) -> Result<Result<(), AmqpError>, Failure>,
) -> Result<Unbound, Failure> {
    let mut answer = remove(binding).await?;
    if let (Ok(()), Some(other)) = (&answer, binding.with_short_integers()) {
        answer = remove(&other).await?;
    }
    let request = Request { verb: UNBIND, subject, vhost: link.vhost(), user: link.user() };
    Ok(match answer {
        Ok(()) => Unbound::Gone,
        Err(error) if error.is_not_found() => Unbound::Missing,
        Err(error) => Unbound::Kept(request.failure(error)),
    })
}
