//! Publishing on one channel, and what the broker answers.
//!
//! A publish is never awaited one by one: that would cost two thread switches a message. Each is
//! polled once, which puts the message into lapin's queue, and its confirm is kept from when it has
//! been written.

use crate::record::Message;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use lapin::message::BasicReturnMessage;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{Channel, Confirmation, PublisherConfirm};
use rmq_common::amqp_error::{Trouble, trouble};
use rmq_common::held::Held;
use rmq_common::session::answer;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

type Answer = lapin::Result<(u64, Confirmation)>;

/// A channel in confirm mode, and the confirms that are awaited on it.
pub struct Publisher {
    channel: Arc<Channel>,
    options: BasicPublishOptions,
    /// What lapin has been given and may not have written, in order.
    unwritten: VecDeque<(u64, BoxFuture<'static, lapin::Result<PublisherConfirm>>)>,
    unconfirmed: FuturesUnordered<Unconfirmed>,
    /// lapin would not take a message: the channel or the connection is gone.
    refused: Option<lapin::Error>,
    /// How many messages it was given; the broker counts them from 1 in its confirms.
    published: u64,
    /// Confirms seen too late to be sure that all that came with them had been seen.
    late: Vec<(u64, bool)>,
    held: Arc<Held>,
}

/// A record that has been written.
struct Unconfirmed {
    number: u64,
    confirm: PublisherConfirm,
}

impl Future for Unconfirmed {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let number = self.number;
        self.confirm.poll_unpin(context).map_ok(|confirmation| (number, confirmation))
    }
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
    pub async fn open(channel: Channel, mandatory: bool, held: Arc<Held>) -> Result<Self, Trouble> {
        held.forget();
        answer(channel.confirm_select(ConfirmSelectOptions::default())).await?;
        Ok(Publisher {
            channel: Arc::new(channel),
            options: BasicPublishOptions { mandatory, ..Default::default() },
            unwritten: VecDeque::new(),
            unconfirmed: FuturesUnordered::new(),
            refused: None,
            published: 0,
            late: Vec::new(),
            held,
        })
    }

    /// The channel.
    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Whether nothing is awaited on it.
    pub fn is_idle(&self) -> bool {
        self.unwritten.is_empty() && self.unconfirmed.is_empty() && self.late.is_empty()
    }

    /// Publishes the record `number`; [`answers`](Self::answers) tells what becomes of it.
    pub fn publish(&mut self, number: u64, message: Message) {
        // A channel is some fifteen counted references; this is one.
        let channel = Arc::clone(&self.channel);
        let mandatory = self.options.mandatory && !message.route.is_to_requester();
        let options = BasicPublishOptions { mandatory, ..self.options };
        self.published += 1;
        let mut sending = async move {
            let (exchange, key) =
                (message.route.exchange.clone(), message.route.routing_key.clone());
            let properties = (*message.properties).clone();
            channel.basic_publish(exchange, key, options, &message.body, properties).await
        }
        .boxed();
        // The first poll hands the message to lapin, here and now, so that records keep their order.
        match sending.poll_unpin(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(sent) => self.sent(number, sent),
            Poll::Pending => self.unwritten.push_back((number, sending)),
        }
    }

    /// A record's confirm is awaited from now on.
    fn sent(&mut self, number: u64, sent: lapin::Result<PublisherConfirm>) {
        match sent {
            Ok(confirm) => self.unconfirmed.push(Unconfirmed { number, confirm }),
            Err(error) => self.refused = Some(error),
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
            let answer = poll_fn(|context| self.poll_answer(context)).await;
            sort(answer, &mut settled, &mut answers);
        }
        self.sort_all(&mut settled, &mut answers);
        self.barrier();
        let mut late = Vec::new();
        self.sort_all(&mut late, &mut answers);
        self.late = late;
        self.held.returned(answers.returned.len());
        let acked = self.held.confirmed(self.channel.id());
        if acked > self.published {
            // lapin takes a confirm of many for those that it knows.
            let published = self.published;
            let why = format!("confirm {acked} of {published} messages");
            let text = format!("the broker confirmed what was not published: {why}");
            answers.trouble = Some(Trouble::Protocol(text));
            return answers;
        }
        for (number, ack) in settled {
            if ack {
                answers.confirmed.push(number);
            } else {
                answers.nacked.push(number);
            }
        }
        answers
    }

    /// One answer, of those that are there.
    fn poll_answer(&mut self, context: &mut Context<'_>) -> Poll<Answer> {
        // lapin writes in order, so that only the first is asked.
        while let Some((number, sending)) = self.unwritten.front_mut() {
            let Poll::Ready(sent) = sending.poll_unpin(context) else { break };
            let number = *number;
            self.unwritten.pop_front();
            self.sent(number, sent);
        }
        if let Some(error) = self.refused.take() {
            return Poll::Ready(Err(error));
        }
        match self.unconfirmed.poll_next_unpin(context) {
            Poll::Ready(Some(answer)) => Poll::Ready(answer),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    /// All answers that are there.
    fn sort_all(&mut self, settled: &mut Vec<(u64, bool)>, answers: &mut Answers) {
        let mut context = Context::from_waker(Waker::noop());
        while let Poll::Ready(answer) = self.poll_answer(&mut context) {
            sort(answer, settled, answers);
        }
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
fn sort(answer: Answer, settled: &mut Vec<(u64, bool)>, answers: &mut Answers) {
    match answer {
        Ok((number, Confirmation::Ack(returned))) => {
            answers.returned.extend(returned);
            settled.push((number, true));
        }
        Ok((number, Confirmation::Nack(returned))) => {
            answers.returned.extend(returned);
            settled.push((number, false));
        }
        // Cannot be on a channel in confirm mode; never to be taken for a confirm.
        Ok((number, Confirmation::NotRequested)) => settled.push((number, false)),
        Err(error) => {
            // Of several errors the broker's own word tells more than "closed" does.
            let trouble = trouble(&error);
            if !matches!(answers.trouble, Some(Trouble::Refused { .. } | Trouble::Protocol(_))) {
                answers.trouble = Some(trouble);
            }
        }
    }
}
