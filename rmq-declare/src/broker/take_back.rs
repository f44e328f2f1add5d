//! Removes what was created for a queue that was then refused, but nothing that existed before or
//! that is in use.

use crate::broker::check::{Found, look};
use crate::broker::link::Link;
use crate::queue::Queue;
use crate::queue::exchange::{self, Exchange};
use crate::queue::queue_type::QueueType;
use crate::report::counts::Counts;
use crate::values::shell;
use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use rmq_common::failure::Failure;

/// Removes a queue that was created; returns a sentence if it remains.
pub async fn queue(link: &Link, queue: &Queue) -> Result<Option<String>, Failure> {
    let name = &queue.name;
    let left = || Some(left(link, queue));
    if !matches!(look(link, name).await?, Found::Same(counts) if counts == Counts::default()) {
        return Ok(left());
    }
    let options = QueueDeleteOptions {
        if_unused: is_conditional(queue),
        if_empty: is_conditional(queue),
        nowait: false,
    };
    let answer = link
        .ask(&format!("queue {name}"), async |channel, _| {
            channel.queue_delete(name.clone(), options).await
        })
        .await?;
    Ok(answer.err().and_then(|_| left()))
}

/// The sentence for a created queue that remains.
pub fn left(link: &Link, queue: &Queue) -> String {
    let (name, vhost) = (&queue.name, link.vhost());
    let conditions = if is_conditional(queue) { " --if-empty --if-unused" } else { "" };
    format!(
        "queue {name} in {vhost} was created and remains (rmq-declare -p {} --delete{conditions} {})",
        shell::word(vhost),
        shell::name(name.as_str())
    )
}

/// Only classic queues can be deleted on a condition.
fn is_conditional(queue: &Queue) -> bool {
    queue.shape.queue_type == QueueType::Classic
}

/// Removes an exchange that was created, if nothing is bound to it; returns a sentence if it
/// remains.
pub async fn exchange(link: &Link, exchange: &Exchange) -> Result<Option<String>, Failure> {
    let name = &exchange.name;
    let options = ExchangeDeleteOptions { if_unused: true, nowait: false };
    let answer = link
        .ask(&format!("exchange {name}"), async |channel, _| {
            channel.exchange_delete(name.clone(), options).await
        })
        .await?;
    Ok(answer.err().map(|_| {
        let command = exchange::deletion(link.vhost(), name.as_str());
        format!("exchange {name} in {} was created and remains ({command})", link.vhost())
    }))
}
