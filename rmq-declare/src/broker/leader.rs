//! Whether a queue that answers 0 messages and 0 consumers has a leader.
//!
//! RabbitMQ 3.10 to 4.3 answer a declaration, passive or not, of a quorum queue without a leader at
//! once, with 0 and 0. Only a leader can answer basic.get: without one the broker closes the
//! connection (541, "Cannot get a message from queue ...: nodedown"), at once if nodes are down,
//! and after a while if they are unreachable. So this uses connections of its own: first many
//! requests at a time on a shared one; if that is closed, each pending request is repeated alone.
//!
//! basic.get removes nothing from an empty queue. A message that has arrived since is requeued.

use crate::broker::channels::{Life, Open, Problem, Slot};
use crate::broker::connector::Connector;
use crate::values::shell;
use futures_util::lock::Mutex;
use lapin::options::{BasicGetOptions, BasicNackOptions};
use lapin::types::ShortString;
use rmq_common::amqp_error::{AmqpError, Loss, Lost};
use rmq_common::duration::Limit;
use rmq_common::retry::Patience;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

/// Less than the 10 s after which the broker gives up on a leader without its majority, and closes
/// the connection, which would cost other queues their answers.
const BEFORE_THE_BROKER: Duration = Duration::from_secs(8);

/// The connections for the check.
#[derive(Default)]
pub struct Leaders {
    shared: Slot,
    /// The holder sends its request alone.
    alone: Mutex<Slot>,
    /// Why no such connection can be opened, if that is so: the user may have reached a limit.
    given_up: RefCell<Option<String>>,
    /// The queues that could not be checked, and the reason for the first one.
    unchecked: RefCell<(BTreeSet<String>, String)>,
}

/// The result of the request.
enum Asked {
    /// The queue answered, or the broker for it: perhaps a refusal, but not for lack of a leader.
    Answered,
    /// The user lacks the permission.
    Forbidden,
    /// The connection was closed, for this reason.
    Ended(Lost),
    /// No answer came, on a live connection.
    Silent,
    /// The answer could not be determined, for this reason.
    Unknown(String),
}

impl Leaders {
    /// Why the queue cannot be used; `None` if it can, or if that cannot be checked.
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
            Asked::Unknown(why) => self.leave_unchecked(queue, why),
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

    /// A sentence about what could not be checked; `None` if there was nothing.
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
        if let Some(why) = &*self.given_up.borrow() {
            return Asked::Unknown(why.clone());
        }
        let once = Patience::new(Limit::For(Duration::ZERO));
        let open = match connector.connect(slot, &once).await {
            Ok(open) => open,
            Err(failure) => {
                let why = format!("no second connection: {failure}");
                self.given_up.replace(Some(why.clone()));
                return Asked::Unknown(why);
            }
        };
        let answer = open
            .ask(limit.min(BEFORE_THE_BROKER), async |channel, _| {
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
                    // A stream does not support this method (540).
                    AmqpError::Refused(_) | AmqpError::Protocol(_) => Asked::Answered,
                }
            }
            Err(Problem::Silent) => {
                let life = open.sign_of_life().await;
                slot.lose(&open);
                match life {
                    Life::Alive => Asked::Silent,
                    Life::Mute => Asked::Unknown("the broker does not answer".to_owned()),
                    // Perhaps for this queue, or another.
                    Life::Ended(trouble) => match explained(&open, trouble) {
                        AmqpError::Lost(lost) => Asked::Ended(lost),
                        other => Asked::Unknown(other.to_string()),
                    },
                }
            }
        }
    }

    pub async fn close(&self) {
        self.shared.close().await;
        self.alone.lock().await.close().await;
    }
}

/// Why the connection was lost, if the request itself was not given the reason.
fn explained(open: &Rc<Open>, trouble: AmqpError) -> AmqpError {
    match (trouble, open.reason()) {
        (AmqpError::Lost(_), Some(reason)) => reason,
        (trouble, _) => trouble,
    }
}
