//! Bindings of an exchange to another one, from which it receives messages.

use crate::broker::check::passive_exchange;
use crate::broker::link::Link;
use crate::broker::unbind::{Unbound, removed};
use crate::queue::binding::Binding;
use crate::refusal::{Request, Subject};
use lapin::options::{ExchangeBindOptions, ExchangeUnbindOptions};
use lapin::types::ShortString;
use rmq_common::failure::Failure;

/// Binds an exchange; an existing binding is not changed.
pub async fn bind(
    link: &Link,
    destination: &ShortString,
    binding: &Binding,
) -> Result<Result<(), Failure>, Failure> {
    let answer = link
        .ask(&format!("binding of exchange {destination}"), async |channel, _| {
            let Binding { source, key, arguments } = binding.clone();
            let options = ExchangeBindOptions::default();
            channel.exchange_bind(destination.clone(), source, key, options, arguments).await
        })
        .await?;
    let subject = Subject::ExchangeBinding(destination.as_str(), binding);
    let request = Request { verb: "bind", subject, vhost: link.vhost(), user: link.user() };
    Ok(answer.map_err(|trouble| request.failure(trouble)))
}

/// Removes a binding of an exchange; with `pretend`, only checks whether both exchanges exist. As
/// for a queue, the broker gives the same answer if there is no such binding.
pub async fn unbind(
    link: &Link,
    destination: &ShortString,
    binding: &Binding,
    pretend: bool,
) -> Result<Unbound, Failure> {
    for exchange in [destination, &binding.source] {
        let answer = passive_exchange(link, exchange).await?;
        if answer.is_err_and(|error| error.is_not_found()) {
            return Ok(Unbound::Missing);
        }
    }
    if pretend {
        return Ok(Unbound::Unknown);
    }
    let subject = Subject::ExchangeBinding(destination.as_str(), binding);
    removed(link, subject, binding, async |binding| {
        link.ask(&format!("binding of exchange {destination}"), async |channel, _| {
            let Binding { source, key, arguments } = binding.clone();
            let options = ExchangeUnbindOptions::default();
            channel.exchange_unbind(destination.clone(), source, key, options, arguments).await
        })
        .await
    })
    .await
}
