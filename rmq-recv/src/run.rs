//! One run of rmq-recv, from its arguments to its outcome.

use crate::arguments::{Arguments, PROGRAM};
use crate::output::Output;
use crate::reader;
use crate::receiver::{Receiver, Stops};
use rmq_common::duration::Limit;
use rmq_common::exit::Ending;
use rmq_common::failure::Failure;
use rmq_common::retry::Patience;
use rmq_common::{names, runtime, signals};

/// Receives as the arguments say.
///
/// # Errors
/// Whatever keeps it from going on, with the exit status it ends with.
pub fn run(arguments: Arguments) -> Result<Ending, Failure> {
    runtime::block_on(receive(arguments))
}

async fn receive(arguments: Arguments) -> Result<Ending, Failure> {
    let options = arguments.connection()?;
    let diagnostics = options.diagnostics(PROGRAM);
    let queue = names::queue(&arguments.queue)?;
    let mut broker = options.broker(diagnostics)?;
    let session = broker.connect(&Patience::new(options.first_retry())).await?;
    let output = Output::start()?;
    let stops = Stops { signals: signals::requests_to_stop()?, gone: reader::watch()? };
    // A consumer waits for messages anyway; it may as well wait for the broker.
    let retry = options.retry_or(Limit::Forever);
    let receiver = Receiver::new(&arguments, broker, queue, output, stops, retry, diagnostics);
    let (outcome, tally) = receiver.run(session).await;
    diagnostics.detail(&tally.to_string());
    if tally.with_newline > 0 {
        let count = tally.with_newline;
        diagnostics.notice(&format!(
            "{count} of the messages had a newline inside, and so are more than one line each"
        ));
    }
    outcome
}
