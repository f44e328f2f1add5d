//! `--peek` at a stream reads its first messages, which stay. Streams have no basic.get.

use crate::output::batch::Batch;
use crate::output::writer::Output;
use crate::queue::offset::Offset;
use crate::queue::subscription::{Delivered, Subscription};
use crate::settings::Settings;
use crate::stops::Stop;
use rmq_common::amqp_error::AmqpError;
use rmq_common::failure::Failure;
use rmq_common::runtime;
use rmq_common::session::Session;
use std::time::Duration;

/// How long a message that the stream says it has may take to arrive.
const DUE: Duration = Duration::from_secs(5);
/// How long to wait for more than it says; its number lags.
const QUIET: Duration = Duration::from_millis(500);
/// The most that may arrive at once; a stream counts them in blocks anyway.
const PREFETCH: u16 = 100;

/// Writes at most `number` of the first messages.
pub async fn show(
    settings: &Settings,
    number: u64,
    session: &Session,
    output: &mut Output,
    refused: &impl Fn(AmqpError) -> Failure,
) -> Result<(), Stop> {
    let failed = |error| Stop::Failed(refused(error));
    let queue = settings.source.name();
    let mut reading = Subscription::open(session, queue.clone()).await.map_err(failed)?;
    let has = reading.query().await.map_err(failed)?.ready;
    let first = Offset::Named("first").argument();
    reading.consume(PREFETCH, first).await.map_err(failed)?;
    for seen in 0..number {
        let patience = if seen < u64::from(has) { DUE } else { QUIET };
        let message = match runtime::timeout(patience, reading.next()).await {
            Some(Delivered::Message(message)) => message,
            Some(Delivered::Error(error)) => return Err(failed(error)),
            Some(Delivered::End { .. } | Delivered::Early) | None => break,
        };
        // Only asks for the next: a stream keeps its messages.
        let done = crate::receiver::ledger::Acknowledgement {
            tag: message.tag,
            multiple: false,
            reject: false,
        };
        reading.acknowledge(&done);
        reading.send().map_err(failed)?;
        let mut batch = Batch::default();
        settings.framing.write_arrived(&message, None, &mut batch).map_err(|why| {
            Stop::Failed(Failure::data(format!("write a message of {queue}: {why}")))
        })?;
        output.write(batch);
        Stop::of_write(output.result().await)?;
    }
    Ok(())
}
