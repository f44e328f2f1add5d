//! Opens connections to the broker, one attempt at a time.

use crate::broker::channels::{Open, Slot};
use futures_util::lock::Mutex;
use rmq_common::amqp_error::Lost;
use rmq_common::connection::Broker;
use rmq_common::failure::Failure;
use rmq_common::retry::Patience;
use std::rc::Rc;

/// The broker, the virtual host and the user.
pub struct Connector {
    /// Its holder connects while the others wait.
    broker: Mutex<Broker>,
    vhost: String,
    user: String,
}

impl Connector {
    pub fn new(broker: Broker) -> Self {
        let (vhost, user) = (broker.vhost().to_owned(), broker.user().to_owned());
        Connector { broker: Mutex::new(broker), vhost, user }
    }

    pub fn vhost(&self) -> &str {
        &self.vhost
    }

    pub fn user(&self) -> &str {
        &self.user
    }

    /// Returns the connection of `slot`, opening it if there is none.
    pub async fn connect(&self, slot: &Slot, patience: &Patience) -> Result<Rc<Open>, Failure> {
        let mut broker = self.broker.lock().await;
        // Another task may have connected during the wait.
        if let Some(open) = slot.get() {
            return Ok(open);
        }
        let open = Rc::new(Open::new(broker.connect(patience).await?));
        slot.put(open.clone());
        Ok(open)
    }

    /// Remembers why a connection was lost.
    pub async fn learn(&self, lost: &Lost) {
        self.broker.lock().await.learn(lost);
    }
}
