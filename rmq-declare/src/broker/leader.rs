//! Whether a queue that answers 0 messages and 0 consumers has a leader.
//!
//! RabbitMQ 3.10 to 4.3 answer a passive declaration of a quorum queue without a leader at once, with
//! 0 and 0, and so a declaration. What a leader alone can answer is basic.get: without one the
//! broker ends the connection (541, "Cannot get a message from queue ...: nodedown"), at once where
//! nodes are down, and after a while where they are out of sight. So that is asked on connections of
//! its own: first many at a time on a shared one; where that is ended, each that was under way once
//! more, alone.
//!
//! basic.get takes nothing from an empty queue. A message that has come since is put back.

use crate::broker::channels::{Open, Problem, Slot};
use crate::broker::connector::Connector;
use crate::values::shell;
use futures_util::lock::Mutex;
use lapin::options::{BasicGetOptions, BasicNackOptions};
use lapin::types::ShortString;
use rmq_common::amqp_error::{AmqpError, Loss, Lost};
use rmq_common::duration::Limit;
use rmq_common::retry::Patience;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

/// The connections for it.
#[derive(Default)]
pub struct Leaders {
    shared: Slot,
    /// Whoever holds it asks alone.
    alone: Mutex<Slot>,
    /// No such connection is to be had: the user may have no more of them.
    given_up: Cell<bool>,
    /// The queues of which it could not be found out, and why not of the first.
    unchecked: RefCell<(BTreeSet<String>, String)>,
}

/// What became of the question.
enum Asked {
    /// The queue answered, or the broker for it: with no, it may be, but not because there is no
    /// leader.
    Answered,
    /// The user may not ask.
    Forbidden,
    /// The connection was ended, with this reason.
    Ended(Lost),
    /// No answer came, on a connection that lives.
    Silent,
    /// The question could not be put.
    Impossible,
}

impl Leaders {
    /// Why the queue cannot be used; `None` where it can, and where that cannot be found out.
    pub async fn why_down(
        &self,
        connector: &Connector,
        queue: &ShortString,
        limit: Duration,
    ) -> Option<String> {
        let mut asked = self.ask(connector, &self.shared, queue, limit).await;
        if matches!(asked, Asked::Ended(_)) {
            let alone = self.alone.lock().await;
            asked = self.ask(connector, &alone, queue, limit).await;
        }
        match asked {
            Asked::Ended(lost) if lost.why == Loss::NoLeader => {
                Some("it has no leader, so it neither accepts nor delivers messages".to_owned())
            }
            Asked::Silent => Some("its leader does not answer".to_owned()),
            Asked::Answered => None,
            Asked::Forbidden => {
                let (user, vhost) = (connector.user(), connector.vhost());
                self.leave_unchecked(
                    queue,
                    format!(
                        "{user} lacks read in {vhost} (rmq-perm set -p {} {} CONFIGURE WRITE READ)",
                        shell::word(vhost),
                        shell::name(user)
                    ),
                )
            }
            Asked::Ended(lost) => self.leave_unchecked(queue, lost.to_string()),
            Asked::Impossible => {
                self.leave_unchecked(queue, "the broker refuses a second connection".to_owned())
            }
        }
    }

    fn leave_unchecked(&self, queue: &ShortString, why: String) -> Option<String> {
        let mut unchecked = self.unchecked.borrow_mut();
        if unchecked.0.is_empty() {
            unchecked.1 = why;
        }
        unchecked.0.insert(queue.to_string());
        None
    }

    /// What could not be found out, in a sentence; `None` if there was nothing.
    pub fn unchecked(&self, vhost: &str) -> Option<String> {
        let (queues, why) = &*self.unchecked.borrow();
        let first = queues.first()?;
        let more = match queues.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some(format!("check {first}{more} in {vhost}: cannot find out if it has a leader: {why}"))
    }

    async fn ask(
        &self,
        connector: &Connector,
        slot: &Slot,
        queue: &ShortString,
        limit: Duration,
    ) -> Asked {
        if self.given_up.get() {
            return Asked::Impossible;
        }
        let Ok(open) = connector.connect(slot, &Patience::new(Limit::For(Duration::ZERO))).await
        else {
            self.given_up.set(true);
            return Asked::Impossible;
        };
        let answer = open
            .ask(limit, async |channel, _| {
                let options = BasicGetOptions { no_ack: false };
                let Some(message) = channel.basic_get(queue.clone(), options).await? else {
                    return Ok(());
                };
                let options = BasicNackOptions { multiple: false, requeue: true };
                message.acker.nack(options).await.map(drop)
            })
            .await;
        match answer {
            Err(Problem::Channel(error)) if error.is_not_permitted() => Asked::Forbidden,
            Ok(()) | Err(Problem::Channel(_)) => Asked::Answered,
            Err(Problem::UsedUp) => {
                slot.lose(&open);
                Asked::Ended(Lost::because("its connection has no channels left"))
            }
            Err(Problem::Connection(trouble)) => {
                slot.lose(&open);
                match explained(&open, trouble) {
                    AmqpError::Lost(lost) => Asked::Ended(lost),
                    // A stream: there is no such method for it (540).
                    AmqpError::Refused(_) | AmqpError::Protocol(_) => Asked::Answered,
                }
            }
            Err(Problem::Silent) => {
                let is_alive = open.is_alive().await;
                slot.lose(&open);
                if is_alive { Asked::Silent } else { Asked::Impossible }
            }
        }
    }

    /// Ends the connections.
    pub async fn close(&self) {
        self.shared.close().await;
        self.alone.lock().await.close().await;
    }
}

/// Why the connection was lost, where the question itself was not told.
fn explained(open: &Rc<Open>, trouble: AmqpError) -> AmqpError {
    match (trouble, open.reason()) {
        (AmqpError::Lost(_), Some(reason)) => reason,
        (trouble, _) => trouble,
    }
}
