//! `--delete --exchange`.

use crate::broker::check::passive_exchange;
use crate::broker::link::Link;
use crate::refusal::{Request, Subject};
use lapin::options::ExchangeDeleteOptions;
use lapin::types::ShortString;
use rmq_common::amqp_error::{AmqpError, Refusal};
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;

#[derive(Debug)]
pub enum Deleted {
    Gone,
    /// It did not exist.
    Missing,
    /// With `pretend`: it exists.
    There,
    /// It was kept.
    Kept(Failure),
}

/// Deletes an exchange and its bindings; with `if_unused` only if nothing is bound to it, and with
/// `pretend` not at all.
pub async fn delete(
    link: &Link,
    name: &ShortString,
    if_unused: bool,
    pretend: bool,
) -> Result<Deleted, Failure> {
    let subject = Subject::ExchangeName(name.as_str());
    let request = Request { verb: "delete", subject, vhost: link.vhost(), user: link.user() };
    if name.as_str().starts_with("amq.") {
        let why = "names that begin with amq. are the broker's own, and it does not delete them";
        return Ok(Deleted::Kept(Failure::data(why).context(request)));
    }
    // The deletion of a missing exchange also succeeds.
    match passive_exchange(link, name).await? {
        Ok(()) if pretend => return Ok(Deleted::There),
        Ok(()) => {}
        Err(error) if error.is_not_found() => return Ok(Deleted::Missing),
        Err(error) => return Ok(Deleted::Kept(request.failure(error))),
    }
    let options = ExchangeDeleteOptions { if_unused, nowait: false };
    let answer = link
        .ask(&format!("exchange {name}"), async |channel, _| {
            channel.exchange_delete(name.clone(), options).await
        })
        .await?;
    Ok(match answer {
        Ok(()) => Deleted::Gone,
        Err(error) if error.is_not_found() => Deleted::Missing,
        Err(error) if if_unused && is_in_use(&error) => {
            let why = "queues or exchanges are bound to it; nothing was deleted";
            Deleted::Kept(Failure::new(Exit::No, why).context(request))
        }
        Err(error) => Deleted::Kept(request.failure(error)),
    })
}

fn is_in_use(error: &AmqpError) -> bool {
    let AmqpError::Refused(refused) = error else { return false };
    // A long name leaves no room for the rest of the broker's sentence.
    matches!(refused.what, Refusal::InUse | Refusal::Precondition)
}
