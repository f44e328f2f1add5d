//! Which exchanges are known to exist.
//!
//! Publishing to one that does not exist closes the channel without saying which message was the
//! cause, so each exchange is checked before the first message to it.

use crate::record::item::Route;
use rmq_common::message::Name;
use std::collections::HashSet;

/// The exchanges that existed when they were checked.
#[derive(Debug, Default)]
pub struct Exchanges(HashSet<Name>);

impl Exchanges {
    /// Starts with the exchange of `fixed`, which has been checked already.
    pub fn new(fixed: Option<&Route>) -> Self {
        Exchanges(fixed.map(|route| route.exchange.clone()).into_iter().collect())
    }

    /// Whether `exchange` needs no check. The default exchange always exists.
    pub fn is_known(&self, exchange: &Name) -> bool {
        exchange.is_empty() || self.0.contains(exchange)
    }

    /// Notes that this one exists.
    pub fn add(&mut self, exchange: &Name) {
        self.0.insert(exchange.clone());
    }

    /// Forgets all: one of them no longer exists, and nothing says which.
    pub fn forget(&mut self) {
        self.0.clear();
    }
}
