//! The heart of rmq-recv on one connection: take, write, acknowledge.
//!
//! Only one batch is in the writer's hands at a time, and an acknowledgement is sent only for what
//! is out. Everything else that may happen meanwhile (a signal, a reader that goes away, a lost
//! connection) is answered at once, however long the reader pauses.

use crate::acknowledge::Withheld;
use crate::idle::Idle;
use crate::output::Written;
use crate::receiver::{Receiver, Stop};
use crate::subscription::{Delivered, Message, Subscription};
use lapin::Event;
use rmq_common::amqp_error::{Trouble, trouble};
use rmq_common::failure::Failure;
use rmq_common::runtime::{self, first, sleep_until};
use rmq_common::session::Session;
use std::future::pending;
use std::time::{Duration, Instant};

/// Bodies of a batch together, at most: enough for large writes, little to hold twice.
const BATCH_BYTES: usize = 1 << 20;
/// With `--drain`: how long nothing must come before the queue is looked at.
const QUIET: Duration = Duration::from_millis(20);
/// How long letting go may take.
const LETTING_GO: Duration = Duration::from_secs(10);

/// One connection.
pub struct Connected<'a> {
    pub(crate) receiver: &'a mut Receiver,
    pub(crate) session: Session,
    pub(crate) subscription: Subscription,
    /// Delivery tags of the batch that is being written.
    pub(crate) writing: Vec<u64>,
    /// What is out and not acknowledged yet, because the consumer has to be cancelled before.
    pub(crate) withheld: Option<Withheld>,
    /// When the last message came, or the queue was last looked at.
    pub(crate) quiet_since: Instant,
    pub(crate) quiet: Duration,
    pub(crate) idle: Idle,
    /// With `--drain`: the queue was seen empty, and the channel is closed to look once more.
    pub(crate) releasing: bool,
    /// With `--drain`: it was, and nothing has come since.
    pub(crate) seen_empty: bool,
}

/// How a connection ends.
#[derive(Debug)]
pub enum End {
    /// It has let go, and the run stops.
    Stop(Stop),
    /// It is lost.
    Lost(String),
}

/// Why serving ends, before anything is let go.
pub(crate) enum Break {
    Stop(Stop),
    Trouble(Trouble),
}

impl From<Trouble> for Break {
    fn from(trouble: Trouble) -> Self {
        Break::Trouble(trouble)
    }
}

enum Step {
    Delivered(Delivered),
    Written(Written),
    Lost(Trouble),
    Quiet,
    Idle,
}

impl<'a> Connected<'a> {
    /// Receives on `session` until something stops it or the connection is lost.
    pub async fn serve(receiver: &'a mut Receiver, session: Session) -> End {
        let opened = Subscription::open(&session, receiver.queue.clone()).await;
        let subscription = match opened {
            Ok(subscription) => subscription,
            Err(trouble) => {
                session.cut();
                return ended(receiver, trouble);
            }
        };
        let reconnected = receiver.reconnected;
        let mut connected = Connected {
            receiver,
            session,
            subscription,
            writing: Vec::new(),
            withheld: None,
            quiet_since: Instant::now(),
            quiet: QUIET,
            idle: Idle::new(reconnected),
            releasing: false,
            seen_empty: false,
        };
        let stops = connected.receiver.stops.clone();
        // Whatever is under way when the word to stop comes is dropped: each step leaves things as
        // letting go finds them.
        let received = first(async { Err(Break::Stop(stops.next().await)) }, connected.receive());
        match received.await {
            Ok(never) => match never {},
            Err(Break::Stop(stop)) => {
                // Another signal, or a broker that does not answer, ends that too: it gives
                // everything back by itself when the connection is gone.
                let again = async {
                    let _ = stops.signals.recv_async().await;
                };
                let let_go = connected.let_go(&stop);
                let _ = runtime::timeout(LETTING_GO, first(again, let_go)).await;
                End::Stop(stop)
            }
            Err(Break::Trouble(trouble)) => {
                let Connected { receiver, session, .. } = connected;
                session.cut();
                ended(receiver, trouble)
            }
        }
    }

    async fn receive(&mut self) -> Result<std::convert::Infallible, Break> {
        self.consume().await?;
        loop {
            match self.step().await {
                Step::Delivered(Delivered::Message(message)) => self.take(message).await?,
                Step::Delivered(Delivered::End { by_broker }) => self.ended(by_broker).await?,
                Step::Delivered(Delivered::Trouble(trouble)) | Step::Lost(trouble) => {
                    return Err(trouble.into());
                }
                Step::Written(written) => self.written(written).await?,
                Step::Quiet if self.withheld.is_some() => self.cancel_and_acknowledge().await?,
                Step::Quiet => self.look_whether_drained().await?,
                Step::Idle => self.look_whether_forgotten().await?,
            }
        }
    }

    /// Waits for the next thing to happen. Safe to drop at any point.
    async fn step(&mut self) -> Step {
        let busy = self.receiver.output.is_busy();
        let looks = (self.receiver.drain || self.withheld.is_some())
            && !busy
            && self.subscription.is_consuming();
        let wake = looks.then(|| self.quiet_since + self.quiet);
        let idle = self.idle.until().filter(|_| !busy && self.subscription.is_consuming());
        let Connected { receiver, session, subscription, .. } = self;
        let Receiver { output, .. } = &mut **receiver;
        let delivered = async {
            // One batch at a time: what comes meanwhile waits in lapin, bounded by the prefetch.
            if busy { pending().await } else { Step::Delivered(subscription.next().await) }
        };
        let written = async { Step::Written(output.written().await) };
        let lost = async {
            loop {
                if let Event::Error(error) = session.event().await {
                    return Step::Lost(trouble(&error));
                }
            }
        };
        let quiet = async {
            sleep_until(wake).await;
            Step::Quiet
        };
        let idle = async {
            sleep_until(idle).await;
            Step::Idle
        };
        first(first(written, delivered), first(lost, first(quiet, idle))).await
    }

    pub(crate) async fn consume(&mut self) -> Result<(), Break> {
        self.releasing = false;
        self.quiet_since = Instant::now();
        let prefetch = self.receiver.credit.next_prefetch();
        self.subscription.consume(prefetch).await?;
        self.receiver.consumed = true;
        Ok(())
    }

    /// Takes a message and all that are here already, and has them written.
    async fn take(&mut self, message: Message) -> Result<(), Break> {
        let mut bytes = 0;
        let mut bodies = Vec::new();
        let mut next = Some(Delivered::Message(message));
        let mut rest = None;
        while let Some(delivered) = next {
            match delivered {
                Delivered::Message(message) => {
                    let tally = &mut self.receiver.tally;
                    tally.received += 1;
                    tally.redelivered += u64::from(message.redelivered);
                    bytes += message.body.len();
                    self.writing.push(message.tag);
                    bodies.push(message.body);
                }
                other => {
                    rest = Some(other);
                    break;
                }
            }
            next = if bytes < BATCH_BYTES { self.subscription.next_now() } else { None };
        }
        self.quiet_since = Instant::now();
        self.quiet = QUIET;
        self.seen_empty = false;
        self.idle.over();
        self.receiver.output.write(bodies);
        match rest {
            Some(Delivered::Trouble(trouble)) => Err(trouble.into()),
            Some(Delivered::End { by_broker: true }) => self.cancelled_by_broker().await,
            // Our own cancel: what comes next is decided once the batch is out.
            _ => Ok(()),
        }
    }

    /// The consumer has given its last message.
    async fn ended(&mut self, by_broker: bool) -> Result<(), Break> {
        self.acknowledge()?;
        if by_broker {
            self.cancelled_by_broker().await?;
        }
        self.go_on().await
    }

    /// Everything that was taken is out and acknowledged, and there is no consumer: what next?
    pub(crate) async fn go_on(&mut self) -> Result<(), Break> {
        if self.receiver.credit.is_met() {
            return Err(Break::Stop(Stop::Met));
        }
        if self.releasing {
            self.change_channel().await?;
            self.seen_empty = true;
        }
        self.consume().await
    }
}

/// What trouble means for the run: a lost connection is made again, a refusal ends it.
fn ended(receiver: &Receiver, trouble: Trouble) -> End {
    match trouble {
        Trouble::Lost(why) => End::Lost(why),
        refused @ Trouble::Refused { .. } => End::Stop(Stop::Failed(receiver.refused(refused))),
        protocol @ Trouble::Protocol(_) => {
            let failure: Failure = protocol.failure();
            End::Stop(Stop::Failed(failure.context(format!("receive from {}", receiver.queue))))
        }
    }
}
