//! Orders of events that a real broker shows only under torture: results after a cancel, a requeue
//! while a channel closes, a reader that exits during a write.

mod events;

use super::*;
use crate::receiver::ledger::Acknowledgement;
use events::{Event, events};
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};

const ORDERS: u32 = 1000;

/// A delivery as the broker and the sink know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// On its way here.
    Sent,
    Open,
    Done,
    Rejected,
}

/// A broker with one queue that never runs dry, and this tool's end of it.
struct Model {
    hand: Hand,
    number: Option<u64>,
    /// Unacknowledged deliveries of the current channel.
    unacknowledged: BTreeMap<u64, State>,
    on_the_way: VecDeque<u64>,
    last_tag: u64,
    /// The prefetch of the current consumer, and its deliveries that are unacknowledged.
    prefetch: u64,
    of_consumer: Vec<u64>,
    /// Every delivery there ever was.
    all: Vec<Delivery>,
    /// What is to be requeued after the pause.
    postponed: Vec<Delivery>,
    acknowledged: u64,
    is_over: bool,
}

impl Model {
    fn new(number: Option<u64>, most: u16, guarded: bool) -> Self {
        let mut hand = Hand::new(Conditions { number, ..Conditions::default() }, most, u64::MAX);
        hand.begin_channel();
        let prefetch = hand.begin_consumer(guarded).into();
        Model {
            hand,
            number,
            unacknowledged: BTreeMap::new(),
            on_the_way: VecDeque::new(),
            last_tag: 0,
            prefetch,
            of_consumer: Vec::new(),
            all: Vec::new(),
            postponed: Vec::new(),
            acknowledged: 0,
            is_over: false,
        }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Send => {
                if !self.is_over && (self.of_consumer.len() as u64) < self.prefetch {
                    self.last_tag += 1;
                    self.unacknowledged.insert(self.last_tag, State::Sent);
                    self.of_consumer.push(self.last_tag);
                    self.on_the_way.push_back(self.last_tag);
                    self.all.push(self.hand.delivery(self.last_tag));
                    let taken = self.acknowledged + self.unacknowledged.len() as u64;
                    assert!(self.number.is_none_or(|number| taken <= number), "-n is exceeded");
                }
            }
            Event::Arrive => {
                if let Some(tag) = self.on_the_way.pop_front() {
                    assert!(self.hand.wants_more(), "a message came that -n does not want");
                    self.hand.add(Entry { tag, end: tag * 10, records: tag, ..Entry::default() });
                    self.set(tag, State::Open);
                }
            }
            Event::Done(pick) => {
                let Some(delivery) = self.pick(pick) else { return };
                let is_open = self.is_open(delivery);
                assert_eq!(self.hand.done(delivery), is_open, "{delivery:?}");
                if is_open {
                    self.set(delivery.tag, State::Done);
                }
            }
            Event::Reject(pick) => {
                let Some(delivery) = self.pick(pick) else { return };
                let is_open = self.is_open(delivery);
                assert_eq!(self.hand.reject(delivery), is_open, "{delivery:?}");
                if is_open {
                    self.set(delivery.tag, State::Rejected);
                }
            }
            Event::Postpone(pick) => {
                if let Some(delivery) = self.pick(pick) {
                    self.hand.postpone(delivery, Instant::now(), pick % 2 == 0);
                    self.postponed.push(delivery);
                }
            }
            Event::Requeue => {
                for Postponed { tag, .. } in self.hand.take_postponed(Instant::now()) {
                    let state = self.unacknowledged.get(&tag).copied();
                    assert_eq!(state, Some(State::Open), "{tag} is requeued");
                    let delivery = self.hand.delivery(tag);
                    assert!(self.postponed.contains(&delivery), "{delivery:?} is requeued");
                    self.remove(tag);
                }
            }
            Event::MakeRoom => {
                if !self.is_over
                    && let Some(prefetch) = self.hand.prefetch_beside_postponed(5)
                {
                    self.change_to(prefetch);
                }
            }
            Event::Taken(pick) => self.taken(pick),
            Event::Acknowledge => {
                let may = if self.is_over { u64::MAX } else { self.hand.may_acknowledge(false) };
                self.acknowledge(may);
            }
            Event::Change => {
                if let Some(prefetch) = self.hand.next_prefetch() {
                    self.change_to(prefetch);
                }
            }
            Event::Lose => {
                self.unacknowledged.clear();
                self.of_consumer.clear();
                self.on_the_way.clear();
                self.last_tag = 0;
                self.hand.begin_channel();
                self.prefetch = self.hand.begin_consumer(true).into();
                let wants = self.number.is_none_or(|number| number > self.acknowledged);
                self.is_over |= !wants;
            }
            Event::Cancel => self.is_over = true,
            Event::ReaderGone => {
                self.is_over = true;
                self.hand.forget();
                self.on_the_way.clear();
                for state in self.unacknowledged.values_mut() {
                    // Results for these no longer count.
                    *state = State::Sent;
                }
            }
            Event::Finish => {
                self.acknowledge(u64::MAX);
                let done = self.unacknowledged.values().filter(|state| is_settled(**state)).count();
                assert_eq!(done, 0, "what is done is requeued");
                assert_eq!(self.hand.done_count(), 0);
            }
        }
    }

    fn change_to(&mut self, prefetch: u16) {
        self.hand.consumer_changed(prefetch, self.on_the_way.back().copied());
        self.prefetch = prefetch.into();
        self.of_consumer.clear();
    }

    /// The output shows progress in order, so it is modelled only where nothing else settles.
    fn taken(&mut self, pick: usize) {
        let in_order = self.unacknowledged.values().skip_while(|state| **state == State::Done);
        if in_order.clone().any(|state| is_settled(*state)) || self.hand.is_empty() {
            return;
        }
        let Some(delivery) = self.pick(pick) else { return };
        self.hand.done_to_byte(delivery.tag * 10);
        for (tag, state) in &mut self.unacknowledged {
            if *tag <= delivery.tag && *state == State::Open {
                *state = State::Done;
            }
        }
    }

    fn acknowledge(&mut self, at_most: u64) {
        let done = self.hand.settle(at_most);
        let mut count = 0;
        for Acknowledgement { tag, multiple, reject } in done.acknowledgements {
            let wanted = if reject { State::Rejected } else { State::Done };
            assert!(self.unacknowledged.contains_key(&tag), "{tag} is unknown to the broker");
            let up_to: Vec<u64> = match multiple {
                true => self.unacknowledged.range(..=tag).map(|(tag, _)| *tag).collect(),
                false => vec![tag],
            };
            for tag in up_to {
                let state = self.unacknowledged.get(&tag).copied();
                assert_eq!(state, Some(wanted), "{tag} is acknowledged");
                self.remove(tag);
                count += 1;
            }
        }
        assert_eq!(count, done.count);
        assert!(count <= at_most);
        self.acknowledged += count;
        assert_eq!(self.hand.left() == Some(0), self.number == Some(self.acknowledged));
    }

    fn pick(&self, pick: usize) -> Option<Delivery> {
        // The last ones most of the time, and now and then one of a channel that is gone.
        let count = self.all.len();
        count.checked_sub(1)?;
        self.all.get(count - 1 - (pick * pick / 1000) % count).copied()
    }

    fn is_open(&self, Delivery { channel, tag }: Delivery) -> bool {
        let is_current = channel == self.hand.channel();
        is_current && self.unacknowledged.get(&tag) == Some(&State::Open)
    }

    fn set(&mut self, tag: u64, state: State) {
        self.unacknowledged.insert(tag, state);
    }

    fn remove(&mut self, tag: u64) {
        self.unacknowledged.remove(&tag);
        self.of_consumer.retain(|one| *one != tag);
    }
}

fn is_settled(state: State) -> bool {
    matches!(state, State::Done | State::Rejected)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ORDERS.max(ProptestConfig::default().cases), ..ProptestConfig::default() })]

    #[test]
    fn in_any_order_of_events_only_what_is_done_is_acknowledged_and_once(
        number in prop::option::of(1u64..100),
        most in prop_oneof![1u16..10, Just(300u16)],
        guarded: bool,
        events in events(),
    ) {
        let mut model = Model::new(number, most, guarded);
        for event in events {
            model.happens(event);
        }
    }
}
