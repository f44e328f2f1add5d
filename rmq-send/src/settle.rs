//! What the broker's answers mean for the records they are about.

use crate::broker::link::{Found, News};
use crate::broker::obstacle::Obstacle;
use crate::broker::publisher::{Answers, Returned};
use crate::fate::Settled;
use crate::record::item::{Message, Route};
use crate::recovery::unless_stopped;
use crate::sender::{LAST_CONFIRMS, Sender};
use rmq_common::amqp_error;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::message::Name;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest pause after a nack. It is what a run may be late after a new leader is elected, and
/// each try costs the broker a channel and one message.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl Sender {
    /// Takes in what the link has to say.
    pub(crate) async fn news(&mut self, news: News) {
        match news {
            News::Answers(answers) => self.answers(answers).await,
            News::Blocked(reason) => {
                let text = format!("the broker blocks publishing ({reason}); waiting");
                self.diagnostics.notice(&text);
                self.watch.blocked(Some(reason));
            }
            News::Unblocked => {
                self.watch.blocked(None);
                self.diagnostics.notice("the broker takes messages again");
            }
            News::Lost(trouble) => self.lost(trouble).await,
        }
    }

    async fn answers(&mut self, answers: Answers) {
        for Returned { reason, content } in &answers.returned {
            let body = content.body();
            let goes_there = |message: &Message| {
                message.route.exchange.as_bytes() == content.exchange()
                    && message.route.routing_key.as_bytes() == content.routing_key()
                    && *message.body == *body
            };
            // Two messages may differ in nothing but their headers, and headers may decide.
            let properties = content.properties();
            let matched = self.window.returned(reason, |message| {
                goes_there(message) && Some(&*message.properties) == properties.as_ref()
            }) || self.window.returned(reason, goes_there);
            if !matched {
                // Never seen from RabbitMQ, whose returns come before their confirms; but then one
                // of the confirms counted was none.
                let text = format!("a message counted as confirmed was returned: {reason}");
                let name = |bytes: &[u8]| Name::new(bytes).unwrap_or_default();
                let exchange = name(content.exchange());
                let route = Route { exchange, routing_key: name(content.routing_key()) };
                let text = format!("publish to {}: {text}", route.shown());
                self.fail(Failure::new(Exit::Software, text));
            }
        }
        let mut progress = false;
        let mut nacked = answers.nacked;
        for number in answers.confirmed {
            match self.window.confirmed(number) {
                Some(Settled::Confirmed) => {
                    progress = true;
                    self.tally.confirmed += 1;
                    // With a spool it is the spool that knows.
                    if self.job.spooled.is_none() {
                        self.confirmed.insert(number);
                    }
                }
                Some(Settled::Returned(reason)) if self.is_down(number, &reason).await => {
                    nacked.push(number);
                }
                Some(Settled::Returned(reason)) => {
                    progress = true;
                    self.tally.returned += 1;
                    let why = self.unroutable(number, &reason);
                    self.fail_record(number, Failure::data(why));
                }
                None => {}
            }
        }
        if progress {
            self.patience.progress();
            self.backoff.reset();
            self.watch.progress();
            self.refusals.progress();
            if nacked.is_empty() {
                self.obstacle = None;
            }
        }
        if let Some(number) = nacked.first() {
            let record = self.window.record(*number).and_then(|record| record.message.as_ref());
            let (route, bytes) = record
                .map(|message| (message.route.clone(), message.body.len()))
                .unwrap_or_default();
            self.obstacle.get_or_insert(Obstacle::Nacks(route.clone()));
            if !progress && self.pause.is_none() {
                self.refused_again(route, bytes).await;
            }
            self.tally.nacked += nacked.len() as u64;
            nacked.into_iter().for_each(|number| self.window.nacked(number));
            // Nothing goes on before all are answered, in however many parts.
            if self.pause.is_none() {
                self.pause = Some(Instant::now() + self.backoff.next_pause().min(LONGEST_PAUSE));
            }
        }
        self.watch.answered(self.window.in_flight() > 0);
        if let Some(trouble) = answers.trouble {
            self.lost(trouble).await;
        }
    }

    /// Nothing came but nacks: looks whether a full queue can be the cause.
    async fn refused_again(&mut self, route: Arc<Route>, bytes: usize) {
        if let Some(link) = self.link.as_ref().filter(|_| route.is_to_queue()) {
            let asked = link.is_empty(&route);
            let (found, signal) =
                unless_stopped(&self.signals, self.deadline, LAST_CONFIRMS, asked).await;
            self.take_signal(signal);
            self.obstacle = Some(match found {
                Some(true) => Obstacle::Unfitting(route, bytes),
                _ => Obstacle::Nacks(route),
            });
        }
        let tell = self.refusals.another() && self.job.spooled.is_some();
        if let Some(obstacle) = self.obstacle.as_ref().filter(|_| tell) {
            self.diagnostics.notice(&format!("{}; trying again", obstacle.shown()));
        }
    }

    /// Whether a record was returned because the node of its queue is down. It waits then like one
    /// that was nacked.
    async fn is_down(&mut self, number: u64, reason: &str) -> bool {
        let record = self.window.record(number).and_then(|record| record.message.as_ref());
        let Some(route) = record.map(|message| message.route.clone()) else { return false };
        if !amqp_error::is_unroutable(reason) || !route.is_to_queue() {
            return false;
        }
        if let Some(is_down) = self.looked.is_down(&route) {
            return is_down;
        }
        let Some(link) = &self.link else { return false };
        let looked = link.has_lost(&route);
        let (found, signal) =
            unless_stopped(&self.signals, self.deadline, LAST_CONFIRMS, looked).await;
        self.take_signal(signal);
        let is_down = found != Some(Found::Missing);
        self.looked.note(route.clone(), is_down);
        if let Some(Found::Down(why)) = found {
            self.obstacle = Some(Obstacle::Down(route, why));
        }
        is_down
    }

    fn unroutable(&mut self, number: u64, reason: &str) -> String {
        let vhost = self.broker.vhost();
        let record = self.window.record(number);
        let route = record.and_then(|record| record.message.as_ref()).map(|message| &message.route);
        let route = route.cloned().unwrap_or_default();
        let shown = route.shown();
        match amqp_error::is_unroutable(reason) {
            true if route.is_to_queue() => route.missing(vhost),
            true => format!("publish to {shown} in vhost {vhost}: no queue takes it"),
            false => format!("publish to {shown} in vhost {vhost}: returned: {reason}"),
        }
    }
}
