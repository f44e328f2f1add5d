//! A message that its queue would drop if it came back once more: a copy goes to the end of the
//! queue, and only once the broker has confirmed that is the original removed.

use crate::envelope::{Keep, kept};
use crate::message::Message;
use lapin::options::{BasicAckOptions, BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{Channel, Confirmation};
use rmq_common::amqp_error::AmqpError;
use rmq_common::session::Session;

/// Puts a copy of `message`, which `channel` has given, to the end of `queue`, without what would
/// have it refused or routed elsewhere too.
///
/// # Errors
/// Why that cannot be; then nothing has changed.
pub async fn rescue(
    session: &Session,
    channel: &Channel,
    queue: &ShortString,
    message: &Message,
) -> Result<(), String> {
    let said = |trouble: AmqpError| trouble.failure().to_string();
    // A refusal closes its channel, and must not close the one that holds the message.
    let sending = session.channel().await.map_err(said)?;
    session.answer(sending.confirm_select(ConfirmSelectOptions::default())).await.map_err(said)?;
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let properties = kept(message.properties.clone(), Keep::default());
    let (exchange, key) = (ShortString::default(), queue.clone());
    let confirmed = async {
        sending.basic_publish(exchange, key, options, &message.body, properties).await?.await
    };
    match session.answer(confirmed).await.map_err(said)? {
        Confirmation::Ack(None) => {}
        _ => return Err("the broker does not take it".to_owned()),
    }
    let acked = channel.basic_ack(message.tag, BasicAckOptions::default()).await;
    acked.map_err(|error| said(AmqpError::from(&error)))
}
