//! `--peek`: look at messages and put them back.
//!
//! Before RabbitMQ 4.3 each look counts as a delivery, and a queue drops or dead-letters what was
//! delivered too often. So a message that has been looked at ten times is not shown any more: who
//! looks at it in a loop has to hear that before it is gone.

use crate::batch::Batch;
use crate::connected::LETTING_GO;
use crate::message::Message;
use crate::output::Output;
use crate::receiver::{MANY_DELIVERIES, write_failure};
use crate::settings::Settings;
use crate::stops::{Stop, Stops};
use lapin::options::{BasicGetOptions, BasicNackOptions};
use rmq_common::amqp_error::Trouble;
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;
use rmq_common::runtime::{self, first};
use rmq_common::session::{Session, answer};

/// Writes at most `number` messages, and puts all of them back.
///
/// # Errors
/// No such queue, a lost connection, standard output that takes no more, or a message that was
/// delivered too often; everything is back in the queue all the same.
pub async fn peek(
    settings: &Settings,
    number: u64,
    session: Session,
    output: &mut Output,
    stops: &Stops,
    refused: impl Fn(Trouble) -> Failure,
) -> Result<Ending, Failure> {
    let stopped = async { Err(stops.next().await) };
    let opened = async { session.channel().await.map_err(|why| Stop::Failed(refused(why))) };
    let channel = match first(stopped, opened).await {
        Ok(channel) => channel,
        Err(stop) => {
            session.close().await;
            return outcome(Err(stop));
        }
    };
    let queue = settings.source.name();
    let look = async {
        for _ in 0..number {
            let got = channel.basic_get(queue.clone(), BasicGetOptions::default());
            let Some(got) = answer(got).await.map_err(|trouble| Stop::Failed(refused(trouble)))?
            else {
                break;
            };
            let message = Message::from(got.delivery);
            let count = message.delivery_count().unwrap_or(0);
            if count >= MANY_DELIVERIES {
                let text = format!(
                    "look at {queue}: its next message has come back {count} times; looking counts \
                     as a delivery before RabbitMQ 4.3, and past the queue's delivery limit it is \
                     dropped or dead-lettered"
                );
                return Err(Stop::Failed(Failure::new(Exit::DataErr, text)));
            }
            let mut batch = Batch::default();
            let written = settings.framing.write(message, None, &mut batch);
            written.map_err(|why| {
                Stop::Failed(Failure::data(format!("write a message of {queue}: {why}")))
            })?;
            output.write(batch);
            write_failure(output.result().await)?;
        }
        Ok(())
    };
    let looked = first(async { Err(stops.next().await) }, look).await;
    // Tag 0 with multiple means all of them (AMQP 0-9-1, basic.nack). If this cannot be said, the
    // broker puts them back by itself when the connection is gone.
    let put_back = BasicNackOptions { multiple: true, requeue: true };
    let put_back = async { answer(channel.basic_nack(0, put_back)).await.is_ok() };
    if runtime::timeout(LETTING_GO, put_back).await == Some(true) {
        session.close().await;
    } else {
        session.cut();
    }
    outcome(looked)
}

fn outcome(looked: Result<(), Stop>) -> Result<Ending, Failure> {
    match looked {
        Ok(()) | Err(Stop::ReaderGone | Stop::TimeUp) => Ok(Exit::Ok.into()),
        Err(Stop::Signal(signal)) => Ok(Ending::Signal(signal)),
        Err(Stop::Failed(failure)) => Err(failure),
        Err(_) => Ok(Exit::Ok.into()),
    }
}
