//! Rescues a message that its queue would drop if it came back once more: a copy goes to the end of
//! the queue, and the original is removed only once the broker has confirmed the copy.

use crate::delivery::envelope::{Keep, kept};
use crate::delivery::message::Message;
use bytes::Bytes;
use lapin::Channel;
use lapin::options::{BasicAckOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use rmq_common::amqp_error::AmqpError;
use rmq_common::lane::{Event, Head, Lane};
use rmq_common::message::Name;
use rmq_common::runtime;
use rmq_common::session::{ANSWER_TIMEOUT, Session};
use std::future::poll_fn;

/// Publishes a copy of `message`, which came on `channel`, to the end of `queue`, without anything
/// that would have it refused or also routed elsewhere.
///
/// # Errors
/// The reason why that failed; nothing has changed then.
pub async fn rescue(
    session: &Session,
    channel: &Channel,
    queue: &ShortString,
    message: &Message,
) -> Result<(), String> {
    let said = |error: AmqpError| error.failure().to_string();
    // A refusal closes its channel, which must not be the one that holds the message.
    let sending = session.channel().await.map_err(said)?;
    session.answer(sending.confirm_select(ConfirmSelectOptions::default())).await.map_err(said)?;
    let properties = kept(message.properties.clone(), Keep::default());
    let key = Name::new(queue.as_str()).unwrap_or_default();
    let head = Head::new(sending.id(), &Name::default(), &key, true, &properties);
    let body = Bytes::copy_from_slice(&message.body);
    let mut lane = session.lane(&sending);
    lane.publish(&head, &body);
    let confirmed = runtime::timeout(ANSWER_TIMEOUT, confirmed(&mut lane)).await;
    match confirmed.unwrap_or_else(|| Err(AmqpError::unanswered())).map_err(said)? {
        true => {}
        false => return Err("the broker did not accept it".to_owned()),
    }
    let acked = channel.basic_ack(message.tag, BasicAckOptions::default()).await;
    acked.map_err(|error| said(AmqpError::from(&error)))
}

/// Whether the broker has confirmed the one message on this lane.
async fn confirmed(lane: &mut Lane) -> Result<bool, AmqpError> {
    let lost = || AmqpError::unexplained();
    lane.send().map_err(|_| lost())?;
    let mut is_returned = false;
    loop {
        match poll_fn(|context| lane.poll_next(context)).await {
            Event::Ack { .. } => return Ok(!is_returned),
            Event::Nack { .. } => return Ok(false),
            Event::Returned { .. } => is_returned = true,
            Event::Closed { code, text } => return Err(AmqpError::closed(code, &text)),
            Event::Ended => return Err(lost()),
            // Nothing is consumed or fetched on this channel.
            Event::Delivered { .. } | Event::Empty | Event::Cancelled { .. } => {}
        }
    }
}
