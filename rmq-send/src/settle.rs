//! What the broker's answers mean for the records they are about.

use crate::fate::Settled;
use crate::link::News;
use crate::publisher::Answers;
use crate::record::{Message, Route};
use crate::sender::Sender;
use rmq_common::failure::Failure;
use std::time::Instant;

impl Sender {
    /// Takes in what the link has to say.
    pub(crate) async fn news(&mut self, news: News) {
        match news {
            News::Answers(answers) => self.answers(answers).await,
            News::Blocked(reason) => {
                self.watch.blocked(true);
                let text = format!("the broker blocks publishing ({reason}); waiting");
                self.diagnostics.notice(&text);
            }
            News::Unblocked => {
                self.watch.blocked(false);
                self.diagnostics.notice("the broker takes messages again");
            }
            News::Lost(trouble) => self.lost(trouble).await,
        }
    }

    async fn answers(&mut self, answers: Answers) {
        for message in &answers.returned {
            let delivery = &message.delivery;
            let reason = message.reply_text.as_str();
            let goes_there = |message: &Message| {
                message.route.exchange == delivery.exchange
                    && message.route.routing_key == delivery.routing_key
                    && *message.body == *delivery.data
            };
            // Two messages may differ in nothing but their headers, and headers may decide.
            let matched = self.window.returned(reason, |message| {
                goes_there(message) && *message.properties == delivery.properties
            }) || self.window.returned(reason, goes_there);
            if !matched {
                // Never seen from RabbitMQ, whose returns come before their confirms; but then one
                // of the confirms counted was none.
                let text = format!("a message counted as confirmed was returned: {reason}");
                let (exchange, key) = (delivery.exchange.clone(), delivery.routing_key.clone());
                let route = Route { exchange, routing_key: key };
                self.fail(Failure::data(format!("publish to {}: {text}", route.shown())));
            }
        }
        if !answers.confirmed.is_empty() {
            self.patience.progress();
            self.backoff.reset();
            self.watch.progress();
        }
        for number in answers.confirmed {
            match self.window.confirmed(number) {
                Some(Settled::Confirmed) => {
                    self.tally.confirmed += 1;
                    // With a spool it is the spool that knows.
                    if self.job.spooled.is_none() {
                        self.confirmed.insert(number);
                    }
                }
                Some(Settled::Returned(reason)) => {
                    self.tally.returned += 1;
                    let why = self.unroutable(number, &reason);
                    self.fail_record(number, Failure::data(why));
                }
                None => {}
            }
        }
        if !answers.nacked.is_empty() {
            self.tally.nacked += answers.nacked.len() as u64;
            answers.nacked.into_iter().for_each(|number| self.window.nacked(number));
            self.pause = Some(Instant::now() + self.backoff.next_pause());
        }
        self.watch.answered(self.window.in_flight() > 0);
        if let Some(trouble) = answers.trouble {
            self.lost(trouble).await;
        }
    }

    fn unroutable(&mut self, number: u64, reason: &str) -> String {
        let vhost = self.broker.vhost();
        let record = self.window.record(number);
        let route = record.and_then(|record| record.message.as_ref()).map(|message| &message.route);
        let route = route.cloned().unwrap_or_default();
        let shown = route.shown();
        match reason {
            "NO_ROUTE" if route.is_to_queue() => route.missing(vhost),
            "NO_ROUTE" => format!("publish to {shown} in vhost {vhost}: no queue takes it"),
            reason => format!("publish to {shown} in vhost {vhost}: returned: {reason}"),
        }
    }
}
