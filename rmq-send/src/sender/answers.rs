//! What the broker's answers mean for the records concerned.

use crate::broker::link::News;
use crate::broker::publisher::{Answers, Returned};
use crate::record::item::{Message, Route};
use crate::results::fate::Settled;
use crate::sender::run_loop::Sender;
use crate::sender::stop::LAST_CONFIRMS;
use rmq_common::amqp_error;
use rmq_common::count::counted;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::message::Name;
use std::sync::Arc;
use std::time::Instant;

impl Sender {
    /// Handles an event of the link.
    pub(super) async fn news(&mut self, news: News) {
        match news {
            News::Answers(answers) => self.answers(answers).await,
            News::Blocked(reason) => {
                if let Some(text) = self.connection.blocked(Some(reason)) {
                    self.diagnostics.notice(&text);
                }
            }
            News::Unblocked => {
                if let Some(text) = self.connection.blocked(None) {
                    self.diagnostics.notice(&text);
                }
            }
            News::Lost(error) => self.lost(error).await,
        }
    }

    async fn answers(&mut self, answers: Answers) {
        answers.returned.iter().for_each(|returned| self.returned(returned));
        let mut progress = false;
        let mut nacked = answers.nacked;
        for number in answers.confirmed {
            match self.account.confirmed(number) {
                Some(Settled::Confirmed) => progress = true,
                Some(Settled::Returned(reason)) if self.is_down(number, &reason).await => {
                    nacked.push(number);
                }
                Some(Settled::Returned(reason)) => {
                    progress = true;
                    let why = self.why_unroutable(number, &reason);
                    self.account.unroutable(number, Failure::data(why));
                }
                None => {}
            }
        }
        if progress {
            self.patience.progress();
            self.connection.progress(nacked.is_empty());
            if let Some(took) = self.vigil.progress(Instant::now()) {
                let seconds = took.as_secs();
                self.diagnostics.notice(&format!("records are confirmed again, after {seconds} s"));
            }
        }
        if let Some(number) = nacked.first() {
            let message = self.account.message(*number);
            let (route, bytes) = message
                .map(|message| (message.route.clone(), message.body.len()))
                .unwrap_or_default();
            self.connection.obstacles().nacks(&route);
            let route_shown = route.shown();
            if !progress && !self.connection.is_paused() {
                self.refused_again(route, bytes).await;
            }
            let (count, shown) = (counted(nacked.len() as u64, "record"), route_shown);
            self.diagnostics.trace(&format!("{count} nacked by {shown}; sending again"));
            self.account.nacked(nacked);
            self.connection.pause();
        }
        self.connection.answered(self.account.window().in_flight() > 0);
        if let Some(error) = answers.error {
            self.lost(error).await;
        }
    }

    fn returned(&mut self, returned: &Returned) {
        let Returned { reason, content } = returned;
        let body = content.body();
        let goes_there = |message: &Message| {
            message.route.exchange.as_bytes() == content.exchange()
                && message.route.routing_key.as_bytes() == content.routing_key()
                && *message.body == *body
        };
        // Two messages may differ only in their headers, and headers may decide the route.
        let properties = content.properties();
        let matched = self.account.returned(reason, |message| {
            goes_there(message) && Some(&*message.properties) == properties.as_ref()
        }) || self.account.returned(reason, goes_there);
        if !matched {
            // Never seen from RabbitMQ, whose returns come before their confirms; but if it
            // happens, one of the counted confirms was wrong.
            let text = format!("a message counted as confirmed was returned: {reason}");
            let name = |bytes: &[u8]| Name::new(bytes).unwrap_or_default();
            let exchange = name(content.exchange());
            let route = Route { exchange, routing_key: name(content.routing_key()) };
            let text = format!("publish to {}: {text}", route.shown());
            self.account.fail(Failure::new(Exit::Software, text));
        }
    }

    /// Only nacks came: asks whether a full queue can be the cause.
    async fn refused_again(&mut self, route: Arc<Route>, bytes: usize) {
        if let Some(link) = self.connection.asks_about(&route) {
            let is_empty = self.stop.unless(LAST_CONFIRMS, Box::pin(link.is_empty(&route))).await;
            self.take_signal();
            self.connection.obstacles().is_empty(route, bytes, is_empty == Some(true));
        }
        let reports = self.keeps() && !self.vigil.is_reported();
        if let Some(shown) = self.connection.obstacles().another_refusal(reports) {
            self.diagnostics.notice(&format!("{shown}; trying again"));
            self.vigil.reported();
        }
    }

    /// Whether a record was returned because its queue's node is down. Then it waits like a nacked
    /// one.
    async fn is_down(&mut self, number: u64, reason: &str) -> bool {
        let message = self.account.message(number);
        let Some(route) = message.map(|message| message.route.clone()) else { return false };
        if !amqp_error::is_unroutable(reason) || !route.is_to_queue() {
            return false;
        }
        if let Some(is_down) = self.connection.obstacles().is_down(&route) {
            return is_down;
        }
        let Some((link, _)) = self.connection.link() else { return false };
        let found = self.stop.unless(LAST_CONFIRMS, Box::pin(link.has_lost(&route))).await;
        self.take_signal();
        self.connection.obstacles().found(route, found)
    }

    fn why_unroutable(&mut self, number: u64, reason: &str) -> String {
        let message = self.account.message(number);
        let route = message.map(|message| message.route.clone()).unwrap_or_default();
        let vhost = self.connection.vhost();
        let shown = route.shown();
        match amqp_error::is_unroutable(reason) {
            true if route.is_to_queue() => route.missing(vhost),
            true => format!("publish to {shown} in vhost {vhost}: no queue takes it"),
            false => format!("publish to {shown} in vhost {vhost}: returned: {reason}"),
        }
    }

    /// Checks the exchange that the record `number` goes to.
    pub(super) async fn check_exchange(&mut self, number: u64, route: &Route) {
        let Some((link, _)) = self.connection.link() else { return };
        let checked = self.stop.unless(LAST_CONFIRMS, Box::pin(link.check(route))).await;
        self.take_signal();
        match checked {
            Some(Ok(())) => self.connection.exists(route),
            Some(Err(error)) if error.is_not_found() => {
                let why = route.missing(self.connection.vhost());
                self.account.fail_record(number, Failure::data(why));
            }
            Some(Err(error)) => self.lost(error).await,
            None => self.account.give_up_for_the_signal(),
        }
    }
}
