//! Making queues, exchanges and bindings be there.

use crate::binding::Binding;
use crate::counts::Counts;
use crate::exchange::Exchange;
use crate::link::Link;
use crate::queue::Queue;
use crate::queue_arguments;
use crate::refusal::{Request, Subject};
use crate::shape::Declaration;
use lapin::ExchangeKind;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions};
use lapin::types::ShortString;
use rmq_common::amqp_error::Trouble;
use rmq_common::failure::Failure;

/// What the broker answered, or why it did not do it.
pub type Answer<T> = Result<T, Failure>;

/// Declares a queue; one that is there already, and is like this, stays as it is. `verb` is what
/// the user asked for, for messages.
///
/// # Errors
/// When the broker cannot be asked. That it refused is no error here but an answer.
pub async fn queue(
    link: &Link,
    queue: &Queue,
    verb: &'static str,
) -> Result<Answer<Counts>, Failure> {
    let name = queue.name.as_str();
    let server = link.server();
    let declaration = queue.shape.declaration(server.as_ref());
    let request = Request {
        verb,
        subject: Subject::Queue(name, Some(&declaration)),
        vhost: link.vhost(),
        user: link.user(),
    };
    let unknown = server.and_then(|it| queue_arguments::unknown_to(&it, &declaration.arguments));
    if let Some(why) = unknown {
        return Ok(Err(Failure::data(why).context(request)));
    }
    let answer = link
        .ask(&format!("queue {name}"), async |channel, server| {
            let Declaration { arguments, .. } = queue.shape.declaration(server);
            channel.queue_declare(queue.name.clone(), declaration.options(), arguments).await
        })
        .await?;
    Ok(answer.map(|queue| Counts::from(&queue)).map_err(|trouble| request.failure(trouble)))
}

/// Declares a queue exactly so, and gives the broker's own answer.
///
/// # Errors
/// When the broker cannot be asked.
pub async fn exactly(
    link: &Link,
    name: &ShortString,
    declaration: &Declaration,
) -> Result<Result<(), Trouble>, Failure> {
    let answer = link
        .ask(&format!("queue {name}"), async |channel, _| {
            let arguments = declaration.arguments.clone();
            channel.queue_declare(name.clone(), declaration.options(), arguments).await
        })
        .await?;
    Ok(answer.map(drop))
}

/// Declares an exchange; one that is there already, and is like this, stays as it is.
///
/// # Errors
/// As [`queue`].
pub async fn exchange(
    link: &Link,
    exchange: &Exchange,
    verb: &'static str,
) -> Result<Answer<()>, Failure> {
    let options = ExchangeDeclareOptions {
        passive: false,
        durable: exchange.durable,
        auto_delete: exchange.auto_delete,
        internal: exchange.internal,
        nowait: false,
    };
    let answer = link
        .ask(&format!("exchange {}", exchange.name), async |channel, _| {
            let kind = ExchangeKind::Custom(exchange.kind.clone());
            let (name, arguments) = (exchange.name.clone(), exchange.arguments.clone());
            channel.exchange_declare(name, kind, options, arguments).await
        })
        .await?;
    let subject = Subject::Exchange(exchange);
    let request = Request { verb, subject, vhost: link.vhost(), user: link.user() };
    Ok(answer.map_err(|trouble| request.failure(trouble)))
}

/// Binds a queue; a binding that is there already stays as it is.
///
/// # Errors
/// As [`queue`].
pub async fn binding(
    link: &Link,
    queue: &ShortString,
    binding: &Binding,
) -> Result<Answer<()>, Failure> {
    let answer = link
        .ask(&format!("binding of {queue}"), async |channel, _| {
            let Binding { source, key, arguments } = binding.clone();
            let options = QueueBindOptions::default();
            channel.queue_bind(queue.clone(), source, key, options, arguments).await
        })
        .await?;
    let subject = Subject::Binding(queue.as_str(), binding);
    let request = Request { verb: "bind", subject, vhost: link.vhost(), user: link.user() };
    Ok(answer.map_err(|trouble| request.failure(trouble)))
}
