//! Declarations exactly as given, with the broker's own answer.

use crate::broker::link::Link;
use crate::queue::exchange::Exchange;
use lapin::ExchangeKind;
use lapin::options::ExchangeDeclareOptions;
use lapin::types::ShortString;
use rmq_common::amqp_error::AmqpError;
use rmq_common::declaration::Declaration;
use rmq_common::failure::Failure;

pub async fn queue(
    link: &Link,
    name: &ShortString,
    declaration: &Declaration,
) -> Result<Result<(), AmqpError>, Failure> {
    let answer = link
        .ask(&format!("queue {name}"), async |channel, _| {
            let arguments = declaration.arguments.clone();
            channel.queue_declare(name.clone(), declaration.options(), arguments).await
        })
        .await?;
    Ok(answer.map(drop))
}

pub async fn exchange(link: &Link, exchange: &Exchange) -> Result<Result<(), AmqpError>, Failure> {
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
    Ok(answer)
}
