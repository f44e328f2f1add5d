//! Getting a connection that publishes.

use crate::broker::link::Link;
use crate::record::item::Route;
use rmq_common::amqp_error::AmqpError;
use rmq_common::connection::Broker;
use rmq_common::failure::Failure;
use rmq_common::retry::{Backoff, Patience};
use rmq_common::runtime;
use std::time::{Duration, Instant};

/// How long a reachable broker may take to answer, however short `--retry` is.
pub const SHORTEST_PATIENCE: Duration = Duration::from_secs(15);

/// Checks that the queue or the exchange of `route` exists.
///
/// # Errors
/// It does not (65). Any other error is left to the sender, which can connect again.
pub async fn check(broker: &Broker, link: &mut Link, route: &Route) -> Result<(), Failure> {
    match link.check_first(route).await {
        Err(error) if error.is_not_found() => {
            Err(Failure::new(error.exit(), route.missing(broker.vhost())))
        }
        _ => Ok(()),
    }
}

/// Connects and opens the link, and retries if the connection is lost in between. Asks for
/// `at_first` meanwhile, for [`check`].
///
/// # Errors
/// As [`Broker::connect`].
pub async fn connect(
    broker: &mut Broker,
    mandatory: bool,
    at_first: Option<&Route>,
    patience: &Patience,
) -> Result<Link, Failure> {
    let mut backoff = Backoff::default();
    loop {
        let session = broker.connect(patience).await?;
        let by = patience.left().map(|left| Instant::now() + left.max(SHORTEST_PATIENCE));
        match Link::open(session, mandatory, at_first, by).await {
            Ok(link) => return Ok(link),
            Err(AmqpError::Lost(lost)) if broker.learn(&lost) || !patience.is_over() => {
                runtime::sleep(backoff.next_pause()).await;
            }
            Err(error) => return Err(error.failure().context("open a channel")),
        }
    }
}
