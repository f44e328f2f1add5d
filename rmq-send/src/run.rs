//! One run of rmq-send, from its arguments to its outcome.

use crate::arguments::{Arguments, PROGRAM};
use crate::input::Reader;
use crate::recovery;
use crate::sender::Sender;
use rmq_common::amqp_error::{Trouble, reply};
use rmq_common::duration::Limit;
use rmq_common::exit::Ending;
use rmq_common::failure::Failure;
use rmq_common::retry::Patience;
use rmq_common::{names, runtime, signals};
use std::time::Duration;

/// How long to go on without a confirm, unless `--retry` says otherwise.
const RETRY: Limit = Limit::For(Duration::from_secs(300));
/// Sends standard input as the arguments say.
///
/// # Errors
/// Whatever keeps a record from being confirmed, with the exit status it ends with.
pub fn run(arguments: Arguments) -> Result<Ending, Failure> {
    runtime::block_on(send(arguments))
}

async fn send(arguments: Arguments) -> Result<Ending, Failure> {
    let options = arguments.connection()?;
    let diagnostics = options.diagnostics(PROGRAM);
    let queue = names::queue(&arguments.queue)?;
    let mut broker = options.broker(diagnostics)?;
    // Nothing is read before a broker is there, so that nothing is lost where none is.
    let patience = Patience::new(options.first_retry());
    let link = recovery::connect(&mut broker, &queue, &patience).await?;
    // Anything but a clear no is the sender's business: it can connect again.
    if let Err(refused @ Trouble::Refused { code: reply::NOT_FOUND, .. }) =
        link.look(queue.clone()).await
    {
        let vhost = broker.vhost();
        let text = format!("publish to {queue}: no such queue in vhost {vhost}");
        return Err(Failure::new(refused.failure().exit(), text));
    }
    let signals = signals::requests_to_stop()?;
    let reader = Reader::start(arguments.max_size)?;
    let retry = options.retry_or(RETRY);
    let sender = Sender::new(arguments.window, retry, broker, queue, link, reader, signals);
    let (verdict, tally) = sender.run().await;
    let outcome = verdict.outcome();
    if outcome.is_err() {
        diagnostics.notice(&tally.to_string());
    } else {
        diagnostics.detail(&tally.to_string());
    }
    outcome
}
