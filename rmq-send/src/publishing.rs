//! What may be published now, is.

use crate::record::item::{Bad, Item, Raw, Route};
use crate::record::wire_size;
use crate::results::ack_to::Acknowledger;
use crate::results::tee::Tee;
use crate::sender::Sender;
use rmq_common::failure::Failure;
use std::sync::Arc;

/// Why the next record cannot be published yet.
pub(crate) enum Halt {
    /// Nobody has looked whether the exchange it goes to is there.
    Exchange(u64, Arc<Route>),
    /// Its headers take so many bytes, which is too many.
    Headers(u64, usize),
}

impl Sender {
    /// Publishes whatever may be published now, up to a record that needs something else first.
    pub(crate) fn publish(&mut self) -> Option<Halt> {
        loop {
            // More of a record that is not held needs no room.
            let passes = matches!(self.read.front(), Some(Item::Rest { .. }));
            if !passes && !self.has_room() {
                break;
            }
            // It is not held, so all before it must have left, or the rejects are out of order.
            let is_long =
                matches!(self.read.front(), Some(Item::Bad(Bad { raw: Raw::Begun { .. }, .. })));
            if is_long && self.job.rejects.is_some() && !self.window.is_empty() {
                break;
            }
            let Some(item) = self.read.pop_front() else { break };
            if self.window.is_empty() {
                // Time without anything to confirm is no time without progress.
                self.patience.progress();
            }
            match item {
                Item::Record(record) => self.window.push(record),
                Item::Bad(bad) => self.bad(bad),
                Item::Rest { bytes, more } => self.rest(&bytes, more),
            }
        }
        if self.pause.is_some() || self.verdict.has_given_up() {
            return None;
        }
        let link = self.link.as_mut()?;
        let frame_max = link.frame_max();
        let publisher = link.publisher();
        let halt = loop {
            if publisher.is_full() {
                break None;
            }
            let Some(due) = self.window.due(self.verdict.is_failure()) else { break None };
            let route = &due.message.route;
            if !self.exchanges.is_known(&route.exchange) {
                break Some(Halt::Exchange(due.number, route.clone()));
            }
            if let Err(size) = wire_size::fits(&due.message.properties, frame_max) {
                break Some(Halt::Headers(due.number, size));
            }
            publisher.publish(due.number, &due.message);
            self.tally.resent += u64::from(due.again);
            self.watch.sent();
            self.window.sent(due.number);
        };
        publisher.send();
        halt
    }

    /// Whether one more record may be taken on.
    pub(crate) fn has_room(&self) -> bool {
        self.window.has_room()
            && self.job.tee.as_ref().is_none_or(Tee::has_room)
            && self.job.acknowledger.as_ref().is_none_or(Acknowledger::has_room)
    }

    /// Does what the next record needs first.
    pub(crate) async fn see_to(&mut self, halt: Halt) {
        match halt {
            Halt::Exchange(number, route) => self.look(number, &route).await,
            Halt::Headers(number, size) => {
                let why = format!("its headers take {size} bytes, more than a frame holds");
                self.fail_record(number, Failure::data(why));
            }
        }
    }
}
