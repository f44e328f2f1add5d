//! `--purge`.

use crate::broker::check::{ANSWERS_WITHIN, Found, in_use, look};
use crate::broker::link::{Link, Reply};
use crate::queue::queue_arguments::TYPE;
use crate::refusal::{PURGE, Request, Subject};
use crate::report::counts::Counts;
use crate::values::argument_value::{long, short};
use crate::values::shell;
use lapin::options::QueuePurgeOptions;
use lapin::types::{FieldTable, ShortString};
use rmq_common::amqp_error::{AmqpError, Refusal, Refused, Value};
use rmq_common::declaration::{Declaration, corrected};
use rmq_common::failure::Failure;
use std::cell::Cell;

/// A type that no queue has.
const NO_TYPE: &str = "none";

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
    // The refusal to purge a stream would close the connection, and with it the other requests.
    if is_stream(link, queue).await? {
        let why = format!(
            "it is a stream, and RabbitMQ cannot purge streams; nothing was removed (rmq-declare \
             -p {} --delete {}, then declare it again)",
            shell::word(request.vhost),
            shell::name(queue.as_str())
        );
        return Ok(Purged::Kept(Failure::data(why).context(request)));
    }
    if pretend {
        let found = look(link, queue).await?;
        return Ok(match in_use(link, queue, found).await {
            Found::Same(Counts { messages, .. }) | Found::Different(Counts { messages, .. }, _) => {
                Purged::Messages(Some(messages))
            }
            Found::Down(why) => Purged::Down(why),
            Found::Missing => missing(),
            Found::Unknown(failure) => Purged::Kept(failure),
        });
    }
    let times = Cell::new(0);
    let answer = link
        .ask(&format!("queue {queue}"), async |channel, _| {
            times.update(|times| times + 1);
            channel.queue_purge(queue.clone(), QueuePurgeOptions::default()).await
        })
        .await?;
    Ok(match answer {
        // If the answer was lost, what the first request removed is unknown.
        Ok(messages) => Purged::Messages((times.get() == 1).then_some(messages)),
        Err(error) if error.is_not_found() => missing(),
        Err(AmqpError::Refused(Refused { what: Refusal::NotImplemented, .. })) => {
            let why =
                "RabbitMQ cannot purge queues of this type, such as streams; nothing was removed";
            Purged::Kept(Failure::data(why).context(request))
        }
        Err(error) => Purged::Kept(request.failure(error)),
    })
}

/// Whether a queue is known to be a stream.
///
/// A declaration with a type that does not exist creates nothing, but for an existing queue the
/// refusal names the type that it has. It needs the `configure` permission.
async fn is_stream(link: &Link, queue: &ShortString) -> Result<bool, Failure> {
    let mut arguments = FieldTable::default();
    arguments.insert(short(TYPE).unwrap_or_default(), long(NO_TYPE));
    let guess = Declaration { durable: true, auto_delete: false, arguments };
    let reply = link
        .look(&format!("queue {queue}"), ANSWERS_WITHIN, async |channel, _| {
            let arguments = guess.arguments.clone();
            channel.queue_declare(queue.clone(), guess.options(), arguments).await
        })
        .await?;
    let Reply::Refused(AmqpError::Refused(refused)) = reply else { return Ok(false) };
    let (argument, value) = corrected(refused.what, queue.as_str(), link.vhost())
        .unwrap_or((String::new(), Value::None));
    Ok(argument == TYPE && value == Value::Is("stream".to_owned()))
}
