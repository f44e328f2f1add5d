//! `--delete`.
//!
//! Only classic queues can be deleted on the condition that they are empty or unused. RabbitMQ 3.10
//! to 4.3 refuses it for quorum queues by closing the connection, and deletes streams without
//! checking. So the type is determined first, and both are refused.

use crate::broker::check::{Found, in_use_within, look_within};
use crate::broker::learn;
use crate::broker::link::Link;
use crate::refusal::{Request, Subject};
use crate::values::shell;
use lapin::options::QueueDeleteOptions;
use lapin::types::ShortString;
use rmq_common::amqp_error::{AmqpError, Refusal};
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use std::time::Duration;

/// How long a queue may take to say whether it exists. If its node is down, it is deleted anyway,
/// by RabbitMQ from 4.0 on at once.
pub const LOOK: Duration = Duration::from_secs(1);

/// The conditions of a deletion.
#[derive(Clone, Copy, Debug, Default)]
pub struct Conditions {
    pub if_empty: bool,
    pub if_unused: bool,
}

impl Conditions {
    fn options(self) -> Option<&'static str> {
        match (self.if_empty, self.if_unused) {
            (false, false) => None,
            (true, false) => Some("--if-empty"),
            (false, true) => Some("--if-unused"),
            (true, true) => Some("--if-empty --if-unused"),
        }
    }
}

#[derive(Debug)]
pub enum Deleted {
    /// It is deleted, with this number of messages; `None` if unknown.
    Gone(Option<u32>),
    /// It did not exist.
    Missing,
    /// It was kept.
    Kept(Failure),
}

pub async fn delete(
    link: &Link,
    queue: &ShortString,
    conditions: Conditions,
) -> Result<Deleted, Failure> {
    let subject = Subject::Queue(queue.as_str(), None);
    let request = Request { verb: "delete", subject, vhost: link.vhost(), user: link.user() };
    // Unlike a deletion, this shows whether the queue exists.
    let found = look_within(link, queue, LOOK).await?;
    match (&found, conditions.options()) {
        (Found::Missing, _) => return Ok(Deleted::Missing),
        (Found::Unknown(failure), _) => return Ok(Deleted::Kept(failure.clone())),
        (Found::Down(_), Some(options)) => {
            let why = format!(
                "{options}: its node is down, so the condition cannot be checked; nothing was deleted"
            );
            return Ok(Deleted::Kept(Failure::new(Exit::TempFail, why).context(request)));
        }
        (Found::Same(_) | Found::Different(..) | Found::Down(_), _) => {}
    }
    if let Some(options) = conditions.options()
        && let Some(why) = refused(options, learn::type_of(link, queue).await?.as_deref(), &request)
    {
        return Ok(Deleted::Kept(Failure::data(why).context(request)));
    }
    // A deletion also answers 0 for a stream and for a queue that cannot count its messages. With a
    // condition it counts them.
    let is_empty = match conditions.options() {
        Some(_) => true,
        None => matches!(
            in_use_within(link, queue, found, LOOK).await,
            Found::Same(counts) if counts.messages == 0
        ),
    };
    let options = QueueDeleteOptions {
        if_unused: conditions.if_unused,
        if_empty: conditions.if_empty,
        nowait: false,
    };
    let answer = link
        .ask(&format!("queue {queue}"), async |channel, _| {
            channel.queue_delete(queue.clone(), options).await
        })
        .await?;
    Ok(match answer {
        Ok(messages) => Deleted::Gone((is_empty || messages > 0).then_some(messages)),
        Err(error) if error.is_not_found() => Deleted::Missing,
        Err(error) => {
            let why = conditions.options().and_then(|_| condition(&error));
            let no = |why| Failure::new(Exit::No, why).context(&request);
            Deleted::Kept(why.map(no).unwrap_or_else(|| request.failure(error)))
        }
    })
}

/// Why a queue of this type cannot be deleted with these options.
fn condition(error: &AmqpError) -> Option<&'static str> {
    let AmqpError::Refused(refused) = error else { return None };
    match refused.what {
        Refusal::NotEmpty => Some("it is not empty"),
        Refusal::InUse => Some("it is in use"),
        // A long name leaves no room for the rest of the broker's sentence.
        Refusal::Precondition => Some("it is not empty, or it is in use"),
        _ => None,
    }
}

fn refused(options: &str, queue_type: Option<&str>, request: &Request<'_>) -> Option<String> {
    match queue_type {
        Some("classic") => None,
        Some("stream") => Some(format!(
            "{options}: it is a stream, and RabbitMQ deletes streams without checking; nothing was \
             deleted"
        )),
        Some(other) => Some(format!(
            "{options}: it is a {other} queue, for which RabbitMQ has no such condition; nothing \
             was deleted (rmq-declare -p {vhost} --check {name}, then rmq-declare -p {vhost} \
             --delete {name})",
            vhost = shell::word(request.vhost),
            name = shell::name(request.name())
        )),
        None => Some(format!(
            "{options}: only for classic queues, and the broker does not say whether this is one; \
             nothing was deleted"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_rabbitmq_would_not_keep_is_refused() {
        let subject = Subject::Queue("jobs", None);
        let request = Request { verb: "delete", subject, vhost: "/", user: "guest" };
        let refused = |queue_type: Option<&str>| {
            refused("--if-empty", queue_type, &request).unwrap_or_default()
        };
        assert_eq!(refused(Some("classic")), "");
        assert!(refused(Some("stream")).contains("without checking"));
        assert!(refused(Some("quorum")).contains("it is a quorum queue"));
        assert!(refused(Some("quorum")).ends_with("then rmq-declare -p / --delete jobs)"));
        assert!(refused(None).contains("does not say"));
    }
}
