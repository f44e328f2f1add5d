//! Publishing on one channel, and what the broker answers.
//!
//! A publish is never awaited one by one: that would cost two thread switches a message. Each
//! future is polled once, which puts the message into lapin's queue, and kept until its confirm
//! has come.

use crate::record::Message;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use lapin::message::BasicReturnMessage;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{Channel, Confirmation};
use rmq_common::amqp_error::{Trouble, trouble};
use rmq_common::session::answer;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

type Answer = (u64, lapin::Result<Confirmation>);

/// A channel in confirm mode, and the confirms that are awaited on it.
pub struct Publisher {
    channel: Arc<Channel>,
    options: BasicPublishOptions,
    confirms: FuturesUnordered<BoxFuture<'static, Answer>>,
    /// Confirms seen too late to be sure that all that came with them had been seen.
    late: Vec<(u64, bool)>,
}

/// What the broker has answered.
#[derive(Debug, Default)]
pub struct Answers {
    /// Messages it could not route. To be looked at before the confirms.
    pub returned: Vec<BasicReturnMessage>,
    /// Numbers of records it has confirmed. A returned message is confirmed too.
    pub confirmed: Vec<u64>,
    /// Numbers of records it did not take.
    pub nacked: Vec<u64>,
    /// The channel or the connection is gone; nothing in flight will be confirmed any more.
    pub trouble: Option<Trouble>,
}

impl Publisher {
    /// Puts `channel` into confirm mode. With `mandatory`, what no queue takes is returned.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn open(channel: Channel, mandatory: bool) -> Result<Self, Trouble> {
        answer(channel.confirm_select(ConfirmSelectOptions::default())).await?;
        Ok(Publisher {
            channel: Arc::new(channel),
            options: BasicPublishOptions { mandatory, ..Default::default() },
            confirms: FuturesUnordered::new(),
            late: Vec::new(),
        })
    }

    /// Publishes the record `number`; [`answers`](Self::answers) tells what becomes of it.
    pub fn publish(&mut self, number: u64, message: Message) {
        // A channel is some fifteen counted references; this is one.
        let channel = Arc::clone(&self.channel);
        let options = self.options;
        let mut confirm = async move {
            let (exchange, key) =
                (message.route.exchange.clone(), message.route.routing_key.clone());
            let properties = (*message.properties).clone();
            let published =
                channel.basic_publish(exchange, key, options, &message.body, properties).await;
            // The window keeps the message, too; what waits for a confirm here need not.
            drop(message);
            let answer = match published {
                Ok(confirm) => confirm.await,
                Err(error) => Err(error),
            };
            (number, answer)
        }
        .boxed();
        // The first poll hands the message to lapin, here and now, so that records keep their
        // order; the collection polls again, which costs little, and is woken when there is more.
        match confirm.poll_unpin(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => self.confirms.push(std::future::ready(answer).boxed()),
            Poll::Pending => self.confirms.push(confirm),
        }
    }

    /// Waits until the broker has answered something.
    ///
    /// A `basic.return` always comes before its own confirm, but lapin hands it over with the next
    /// confirm it resolves, in no particular order when one answer confirms many. So a confirm
    /// counts only once everything that came with it has been seen: after a look at what has been
    /// resolved, a barrier makes sure that lapin is not in the middle of an answer, and a second
    /// look finds the rest. What only the second look found may itself be from the middle of a
    /// later answer, and waits for the next turn.
    pub async fn answers(&mut self) -> Answers {
        let mut answers = Answers::default();
        let mut settled = std::mem::take(&mut self.late);
        if settled.is_empty() {
            match self.confirms.next().await {
                Some(answer) => sort(answer, &mut settled, &mut answers),
                None => std::future::pending().await,
            }
        }
        while let Some(Some(answer)) = self.confirms.next().now_or_never() {
            sort(answer, &mut settled, &mut answers);
        }
        self.barrier();
        let mut late = Vec::new();
        while let Some(Some(answer)) = self.confirms.next().now_or_never() {
            sort(answer, &mut late, &mut answers);
        }
        self.late = late;
        for (number, ack) in settled {
            if ack {
                answers.confirmed.push(number);
            } else {
                answers.nacked.push(number);
            }
        }
        answers
    }

    /// Waits until lapin is done with the answer it is reading, if it is reading one.
    ///
    /// lapin holds the lock of the channel's confirms while it resolves all that one answer
    /// confirms. `wait_for_confirms` takes that lock when it is first polled, which is all that is
    /// wanted of it.
    fn barrier(&self) {
        let _ = self.channel.wait_for_confirms().now_or_never();
    }
}

/// Puts one answer where it belongs.
fn sort((number, answer): Answer, settled: &mut Vec<(u64, bool)>, answers: &mut Answers) {
    match answer {
        Ok(Confirmation::Ack(returned)) => {
            answers.returned.extend(returned);
            settled.push((number, true));
        }
        Ok(Confirmation::Nack(returned)) => {
            answers.returned.extend(returned);
            settled.push((number, false));
        }
        // Cannot be on a channel in confirm mode; never to be taken for a confirm.
        Ok(Confirmation::NotRequested) => settled.push((number, false)),
        Err(error) => {
            // Of several errors the broker's own word tells more than "closed" does.
            let trouble = trouble(&error);
            if !matches!(answers.trouble, Some(Trouble::Refused { .. } | Trouble::Protocol(_))) {
                answers.trouble = Some(trouble);
            }
        }
    }
}
