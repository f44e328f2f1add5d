//! What may happen to a channel and its deliveries, and orders of it.

use proptest::prelude::*;

/// Each case is one order of up to this many events.
const EVENTS: usize = 300;

#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// The broker sends a message, if the consumer's prefetch allows.
    Send,
    /// A message arrives here.
    Arrive,
    /// The command or the sender reports one of the deliveries there ever were, of any channel.
    Done(usize),
    Reject(usize),
    Postpone(usize),
    /// The pauses are over.
    Requeue,
    /// Another consumer takes over while messages wait for the end of their pauses.
    MakeRoom,
    /// The output is taken up to one of the messages in hand.
    Taken(usize),
    Acknowledge,
    /// Another consumer takes over.
    Change,
    /// The channel or the connection is lost, or the broker cancels the consumer.
    Lose,
    /// The run stops: the consumer is cancelled, and results may still be reported.
    Cancel,
    /// The reader exits; what it had not read is lost with the pipe.
    ReaderGone,
    /// Everything is acknowledged or requeued.
    Finish,
}

/// Orders of events: a run, its end, and what still comes after that.
pub(super) fn events() -> impl Strategy<Value = Vec<Event>> {
    let pick = || 0usize..1000;
    let event = prop_oneof![
        8 => Just(Event::Send),
        8 => Just(Event::Arrive),
        6 => pick().prop_map(Event::Done),
        2 => pick().prop_map(Event::Reject),
        2 => pick().prop_map(Event::Postpone),
        2 => Just(Event::Requeue),
        2 => Just(Event::MakeRoom),
        2 => pick().prop_map(Event::Taken),
        6 => Just(Event::Acknowledge),
        3 => Just(Event::Change),
        1 => Just(Event::Lose),
    ];
    let end = prop_oneof![Just(Event::Cancel), Just(Event::ReaderGone), Just(Event::Lose)];
    let after = prop_oneof![
        Just(Event::Arrive),
        pick().prop_map(Event::Done),
        pick().prop_map(Event::Reject),
        Just(Event::Requeue),
        Just(Event::Acknowledge),
    ];
    let (before, after) =
        (prop::collection::vec(event, 0..EVENTS), prop::collection::vec(after, 0..20));
    (before, end, after).prop_map(|(mut all, end, after)| {
        all.push(end);
        all.extend(after);
        all.push(Event::Finish);
        all
    })
}
