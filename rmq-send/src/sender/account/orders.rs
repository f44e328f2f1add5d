//! Events in any order, against a model: what is reported as done is confirmed or kept, and every
//! record is accounted for at the end of the run, whatever happened in between.

mod at_the_end;
mod world;

use super::*;
use proptest::prelude::*;
use std::collections::HashSet;
use std::sync::Mutex;
use world::World;

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Event {
    ReadGood,
    ReadBad,
    ReadEmpty,
    ReadLong,
    EndOfLong,
    /// One record is sent.
    Send,
    /// The broker answers about the first or the last in flight.
    Confirm(bool),
    Nack(bool),
    Return(bool),
    /// An answer about a record that is not in flight: settled already, or sent on a lost
    /// connection.
    StaleConfirm,
    StaleNack,
    Lost,
    ChannelClosed,
    ChannelReplaced,
    /// The next write to the rejects fails.
    RejectsFail,
    Signal,
    GiveUp,
    Fail,
}

const EVENTS: [Event; 21] = [
    Event::ReadGood,
    Event::ReadBad,
    Event::ReadEmpty,
    Event::ReadLong,
    Event::EndOfLong,
    Event::Send,
    Event::Confirm(true),
    Event::Confirm(false),
    Event::Nack(true),
    Event::Nack(false),
    Event::Return(true),
    Event::Return(false),
    Event::StaleConfirm,
    Event::StaleNack,
    Event::Lost,
    Event::ChannelClosed,
    Event::ChannelReplaced,
    Event::RejectsFail,
    Event::Signal,
    Event::GiveUp,
    Event::Fail,
];

/// The duties that runs may have, except `finite`, which changes nothing here.
fn duties() -> [Duties; 6] {
    let none = Duties::default();
    let rejects = Duties { rejects: true, ..none };
    [
        none,
        Duties { tee: true, acknowledges: true, ..none },
        rejects,
        Duties { acknowledges: true, ..rejects },
        Duties { kept: true, ..rejects },
        Duties { tee: true, finite: true, ..rejects },
    ]
}

fn run(duties: Duties, events: &[Event]) {
    let mut world = World::new(duties);
    events.iter().for_each(|event| world.happen(*event));
    world.end();
}

/// Every order of a few events, after two records are in flight and one waits.
#[test]
fn every_order_of_a_few_events_keeps_the_account() {
    const LENGTH: u32 = 3;
    let begin = [Event::ReadGood, Event::ReadGood, Event::Send, Event::Send, Event::ReadGood];
    let mut orders = 0_u64;
    for duties in duties() {
        for mut order in 0..EVENTS.len().pow(LENGTH) {
            let mut events = begin.to_vec();
            for _ in 0..LENGTH {
                events.push(EVENTS[order % EVENTS.len()]);
                order /= EVENTS.len();
            }
            run(duties, &events);
            orders += 1;
        }
    }
    assert_eq!(orders, 6 * 21 * 21 * 21);
}

#[test]
fn long_random_orders_of_events_keep_the_account() {
    let orders = Mutex::new(HashSet::new());
    let events = prop::collection::vec(prop::sample::select(EVENTS.to_vec()), 0..60);
    let which = 0..duties().len();
    let config =
        ProptestConfig { cases: ProptestConfig::default().cases * 8, ..Default::default() };
    proptest!(config, |(which in which, events in events)| {
        run(duties()[which], &events);
        orders.lock().unwrap().insert((which, events));
    });
    assert!(orders.lock().unwrap().len() > 1500);
}
