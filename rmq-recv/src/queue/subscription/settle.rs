//! Acknowledging messages and giving them back.

use super::Subscription;
use crate::receiver::hand::Postponed;
use crate::receiver::ledger::Acknowledgement;
use lapin::options::BasicNackOptions;
use rmq_common::amqp_error::AmqpError;

impl Subscription {
    /// Acknowledges a message, or every message up to it, at the next [`send`](Self::send).
    pub fn acknowledge(&mut self, acknowledgement: &Acknowledgement) {
        let Acknowledgement { tag, multiple, reject } = *acknowledgement;
        if reject {
            self.lane.nack(tag, false);
        } else {
            self.lane.ack(tag, multiple);
        }
    }

    /// Gives one message back to the queue; [`send`](Self::send) sends that. A live consumer gets
    /// it again at once. If `counts`, the queue counts this as a delivery, if it counts them at
    /// all; before RabbitMQ 4.3 every return counts.
    pub fn put_back_one(&mut self, Postponed { tag, counts, .. }: Postponed) {
        if counts {
            self.lane.give_back(tag);
        } else {
            self.lane.nack(tag, true);
        }
    }

    /// Sends the acknowledgements. There is nothing to wait for: nothing confirms them.
    ///
    /// # Errors
    /// The channel is closed, so none of them counts.
    pub fn send(&mut self) -> Result<(), AmqpError> {
        match self.lane.send() {
            Ok(_) => Ok(()),
            // The reason has arrived but may not be noted yet: nothing is taken without room for
            // it.
            Err(_) => self.note_all().and(Err(AmqpError::unexplained())),
        }
    }

    /// Gives back everything that is not acknowledged. Only once the consumer is cancelled: a live
    /// one gets it again at once, and each time counts as a delivery.
    ///
    /// # Errors
    /// The connection is lost; the broker then gives it back by itself.
    pub async fn put_back(&self) -> Result<(), AmqpError> {
        let options = BasicNackOptions { multiple: true, requeue: true };
        // Tag 0 with multiple means all of them (AMQP 0-9-1, basic.nack).
        self.asker.answer(self.channel.basic_nack(0, options)).await
    }

    /// Closes the channel, and waits for it: unacknowledged messages are back in the queue then.
    pub async fn close(&self) -> Result<(), AmqpError> {
        self.asker.close(&self.channel).await
    }
}
