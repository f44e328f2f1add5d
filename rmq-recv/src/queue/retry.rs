//! Questions asked before a run begins, and repeated on another connection if one is lost.
//!
//! A user may be allowed a single channel, and a refusal costs one. The broker counts a closed
//! channel for a moment longer, and closes a connection that opens the next one too soon.

use rmq_common::amqp_error::AmqpError;
use rmq_common::connection::Broker;
use rmq_common::failure::Failure;
use rmq_common::retry::{Backoff, Patience};
use rmq_common::runtime;
use rmq_common::session::Session;

/// Asks on `session`, and on others until `patience` is over. Returns the one that answered.
///
/// # Errors
/// What `said` makes of a refusal or of the last lost connection, or why no broker can be reached.
pub async fn ask_again<T>(
    broker: &mut Broker,
    patience: &Patience,
    mut session: Session,
    mut ask: impl AsyncFnMut(&Session) -> Result<T, AmqpError>,
    said: impl Fn(AmqpError) -> Failure,
) -> Result<(Session, T), Failure> {
    let mut backoff = Backoff::default();
    loop {
        match ask(&session).await {
            Ok(answer) => return Ok((session, answer)),
            Err(AmqpError::Lost(_)) if !patience.is_over() => {
                session.cut();
                runtime::sleep(backoff.next_pause()).await;
                session = broker.connect(patience).await?;
            }
            Err(error) => {
                session.cut();
                return Err(said(error));
            }
        }
    }
}
