//! Which exchanges are known to be there.
//!
//! Publishing to one that is not there closes the channel, and the broker does not say over which
//! message; so each is looked at before the first message to it.

use crate::record::item::Route;
use crate::recovery::unless_stopped;
use crate::sender::{LAST_CONFIRMS, Sender};
use rmq_common::failure::Failure;
use rmq_common::message::Name;
use std::collections::HashSet;

/// The exchanges that were there when they were looked at.
#[derive(Debug, Default)]
pub struct Exchanges(HashSet<Name>);

impl Exchanges {
    /// The one of `fixed` has been looked at already.
    pub fn new(fixed: Option<&Route>) -> Self {
        Exchanges(fixed.map(|route| route.exchange.clone()).into_iter().collect())
    }

    /// Whether `exchange` needs no look. The default exchange is always there.
    pub fn is_known(&self, exchange: &Name) -> bool {
        exchange.is_empty() || self.0.contains(exchange)
    }

    /// One of them is not there any more, and nobody knows which.
    pub fn forget(&mut self) {
        self.0.clear();
    }
}

impl Sender {
    /// Looks at the exchange that the record `number` goes to.
    pub(crate) async fn look(&mut self, number: u64, route: &Route) {
        let Some(link) = &self.link else { return };
        let looked = link.look(route);
        let (looked, signal) =
            unless_stopped(&self.signals, self.deadline, LAST_CONFIRMS, looked).await;
        self.take_signal(signal);
        match looked {
            Some(Ok(())) => {
                self.exchanges.0.insert(route.exchange.clone());
            }
            Some(Err(error)) if error.is_not_found() => {
                let why = route.missing(self.broker.vhost());
                self.fail_record(number, Failure::data(why));
            }
            Some(Err(trouble)) => self.lost(trouble).await,
            None => self.give_up_for_the_signal(),
        }
    }
}
