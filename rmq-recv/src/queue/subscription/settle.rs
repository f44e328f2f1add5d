//! Acknowledging messages and giving them back.

use super::Subscription;
use crate::receiver::hand::Postponed;
use crate::receiver::ledger::Acknowledgement;
use lapin::options::BasicNackOptions;
use rmq_common::amqp_error::AmqpError;

impl Subscription {
    /// Acknowledges a message, or every message up to it; [`send`](Self::send) sends that.
    pub fn acknowledge(&mut self, acknowledgement: &Acknowledgement) {
        let Acknowledgement { tag, multiple, reject } = *acknowledgement;
        if reject {
            self.lane.nack(tag, false);
        } else {
            self.lane.ack(tag, multiple);
        }
    }

    /// Gives one message back to the queue; [`send`](Self::send) sends that. To a live consumer it
    /// comes again at once. If the queue counts deliveries, this is one if it `counts`; before
    /// RabbitMQ 4.3 each is.
    pub fn put_back_one(&mut self, Postponed { tag, counts, .. }: Postponed) {
        if counts {
            self.lane.give_back(tag);
        } else {
            self.lane.nack(tag, true);
        }
    }

    /// Sends the acknowledgements. Waiting until they are written would tell no more: nothing
    /// confirms them.
    ///
    /// # Errors
    /// When the channel is closed: then none of them counts.
    pub fn send(&mut self) -> Result<(), AmqpError> {
        match self.lane.send() {
            Ok(_) => Ok(()),
            // What says why has come, and may not be noted: nothing is taken without room for it.
            Err(_) => self.note_all().and(Err(AmqpError::unexplained())),
        }
    }

    /// Gives back everything that is not acknowledged. Only once the consumer is cancelled: what
    /// goes back to a live one comes again at once, and counts as a delivery each time.
    ///
    /// # Errors
    /// When the connection is lost; then the broker gives it back by itself.
    pub async fn put_back(&self) -> Result<(), AmqpError> {
        let options = BasicNackOptions { multiple: true, requeue: true };
        // Tag 0 with multiple means all of them (AMQP 0-9-1, basic.nack).
        self.asker.answer(self.channel.basic_nack(0, options)).await
    }

    /// Closes the channel and waits until the broker has: what is unacknowledged is back then.
    pub async fn close(&self) -> Result<(), AmqpError> {
        self.asker.close(&self.channel).await
    }
}
