//! How many messages may be taken: the prefetch, and what `-n` leaves of it.
//!
//! The first message of a connection is taken alone: a message that crashes us must not cost a
//! whole prefetch of others a delivery each, because quorum queues count deliveries and drop or
//! dead-letter messages that have had too many.
//!
//! A prefetch holds for as long as its consumer does, so another one needs another consumer
//! (`prefetch_change.rs`). With `-n N` no more than N are ever taken: a broker hands out as many as are
//! acknowledged plus the prefetch, so an acknowledgement that would let that sum pass N is not sent
//! before a consumer with a smaller prefetch has taken over. One message is always left for that
//! consumer, which can so be made before the old one is cancelled.
//!
//! RabbitMQ has no prefetch in bytes. The largest body so far stands for all: the prefetch is the
//! number that would fit into `--prefetch-bytes` if all were this large.

#[derive(Clone, Debug)]
pub struct Credit {
    /// How many `-n` still asks for; `None` means without end.
    wanted: Option<u64>,
    /// `--prefetch`.
    most: u16,
    /// `--prefetch-bytes`.
    bytes: u64,
    /// The largest body so far.
    largest: u64,
    /// The prefetch of the current consumer.
    prefetch: u16,
    /// Whether the current consumer takes the first message alone.
    guarded: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct InHand {
    /// Messages taken and not acknowledged.
    pub taken: u64,
    /// Those of them that may be acknowledged.
    pub done: u64,
    /// Those of earlier consumers that are not done.
    pub earlier: u64,
    /// Those of the current consumer.
    pub newer: u64,
}

impl Credit {
    /// For `wanted` messages (`None`: all), with at most `most` of them or this many bytes at once.
    pub fn new(wanted: Option<u64>, most: u16, bytes: u64) -> Self {
        Credit { wanted, most, bytes, largest: 1, prefetch: 1, guarded: false }
    }

    /// Notes that a body of this length has arrived.
    pub fn seen(&mut self, length: usize) {
        self.largest = self.largest.max(length as u64);
    }

    /// The prefetch of a first consumer, when this many are taken and not acknowledged.
    pub fn begin(&mut self, guarded: bool, taken: u64) -> u16 {
        self.guarded = guarded;
        self.prefetch = if guarded { 1 } else { self.plan(taken).unwrap_or(1) };
        self.prefetch
    }

    /// The consumer with this prefetch has taken over.
    pub fn changed(&mut self, prefetch: u16) {
        self.guarded = false;
        self.prefetch = prefetch;
    }

    /// The prefetch of a consumer beside one that takes the first message alone.
    pub fn beside_the_first(&self) -> Option<u16> {
        self.plan(1).filter(|prefetch| *prefetch > 1)
    }

    /// The prefetch of a consumer that replaces one that has been given all that it may.
    pub fn beside(&self, hand: InHand) -> Option<u16> {
        self.plan(hand.taken)
    }

    /// The prefetch of one more consumer, when others may take this many; `None` if they suffice.
    fn plan(&self, taken: u64) -> Option<u16> {
        match self.wanted {
            None => Some(self.limit()),
            // Half of the rest, so that slow messages do not each replace the consumer.
            Some(wanted) => {
                let rest = wanted.checked_sub(taken).filter(|rest| *rest > 0)?;
                Some(u16::try_from((rest / 2).max(1)).unwrap_or(u16::MAX).min(self.limit()))
            }
        }
    }

    /// The current consumer's prefetch: with this many unacknowledged, nothing more is on its way.
    pub fn prefetch(&self) -> u64 {
        u64::from(self.prefetch)
    }

    /// Whether the current consumer takes the first message alone.
    pub fn is_guarded(&self) -> bool {
        self.guarded
    }

    /// Whether one more may be taken than the current consumer may be given.
    pub fn wants_one_more(&self, hand: InHand) -> bool {
        self.plan(hand.taken + self.prefetch().saturating_sub(hand.newer)).is_some()
    }

    /// The prefetch of the consumer that has to take over before everything done is acknowledged:
    /// otherwise more than wanted could be taken, or more than memory should hold, or it is time
    /// for the full prefetch.
    pub fn next(&self, hand: InHand) -> Option<u16> {
        if hand.done == 0 {
            return None;
        }
        let may_come = self.prefetch().saturating_sub(hand.newer);
        let next = self.plan(hand.taken + may_come)?;
        let rest = |wanted: u64| wanted.saturating_sub(hand.done);
        // One more than may arrive is left for the next consumer.
        let ends = self.wanted.is_some_and(|wanted| rest(wanted) <= self.prefetch() + hand.earlier);
        let lower = (ends || self.prefetch > self.limit()) && next < self.prefetch;
        let higher = self.guarded && next > self.prefetch;
        (lower || higher).then_some(next)
    }

    /// How many may be acknowledged while the consumer stays; with `in_bytes`, so that no more
    /// arrive than memory should hold.
    pub fn may_acknowledge(&self, hand: InHand, in_bytes: bool) -> u64 {
        let number = match self.wanted {
            Some(wanted) => wanted.saturating_sub(self.prefetch() + hand.earlier),
            None => u64::MAX,
        };
        let kept = if in_bytes { self.prefetch.saturating_sub(self.limit()) } else { 0 };
        hand.done.saturating_sub(u64::from(kept)).min(number)
    }

    /// Notes that this many have been acknowledged.
    pub fn acknowledged(&mut self, count: u64) {
        if let Some(wanted) = &mut self.wanted {
            *wanted = wanted.saturating_sub(count);
        }
    }

    /// What `-n` still asks for.
    pub fn left(&self) -> Option<u64> {
        self.wanted
    }

    /// Whether all that `-n` asked for will have arrived with this many more.
    pub fn is_met_with(&self, more: u64) -> bool {
        self.wanted.is_some_and(|wanted| wanted <= more)
    }

    /// Whether more are wanted than this many, which are taken already.
    pub fn wants(&self, taken: u64) -> bool {
        self.wanted.is_none_or(|wanted| wanted > taken)
    }

    /// The most to ask for at once.
    pub fn limit(&self) -> u16 {
        u16::try_from((self.bytes / self.largest).max(1)).unwrap_or(u16::MAX).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hand(taken: u64, done: u64) -> InHand {
        InHand { taken, done, earlier: 0, newer: taken }
    }

    #[test]
    fn the_first_message_is_taken_alone_and_the_full_prefetch_comes_after_it() {
        let mut credit = Credit::new(None, 300, u64::MAX);
        assert_eq!(credit.begin(true, 0), 1);
        assert_eq!(credit.next(hand(1, 0)), None);
        assert_eq!(credit.next(hand(1, 1)), Some(300));
        assert_eq!(credit.may_acknowledge(hand(1, 1), true), 1);
        credit.changed(300);
        assert_eq!(credit.next(hand(300, 300)), None);
        assert_eq!(credit.begin(true, 0), 1);
        assert_eq!(credit.begin(false, 0), 300);
    }

    #[test]
    fn large_bodies_lower_the_prefetch_of_the_next_consumer() {
        let mut credit = Credit::new(None, 300, 64 << 20);
        credit.seen(100);
        credit.begin(false, 0);
        assert_eq!(credit.next(hand(5, 5)), None);
        credit.seen(1 << 20);
        assert_eq!(credit.next(hand(5, 5)), Some(64));
        // If no other consumer can take over, the number that is too many stays unacknowledged.
        assert_eq!(credit.may_acknowledge(hand(300, 300), true), 64);
        assert_eq!(credit.may_acknowledge(hand(100, 100), true), 0);
        assert_eq!(credit.may_acknowledge(hand(100, 100), false), 100);
        credit.changed(64);
        assert_eq!(credit.next(hand(5, 5)), None);
        credit.seen(1 << 30);
        assert_eq!(credit.next(hand(5, 5)), Some(1));
    }

    /// A message in hand: whether it is done, and whether an earlier consumer took it.
    struct Taken {
        done: bool,
        earlier: bool,
    }

    fn in_hand(taken: &[Taken]) -> InHand {
        let count = |what: fn(&Taken) -> bool| taken.iter().filter(|one| what(one)).count() as u64;
        InHand {
            taken: taken.len() as u64,
            done: count(|one| one.done),
            earlier: count(|one| one.earlier && !one.done),
            newer: count(|one| !one.earlier),
        }
    }

    proptest! {
        /// A broker that now and then hands out what it may; commands that end in any order; other
        /// consumers take over, or may not.
        #[test]
        fn no_more_than_asked_for_is_ever_taken_and_that_is_taken(
            number in 1u64..200,
            most in prop_oneof![1u16..10, Just(300u16)],
            guarded: bool,
            changes in prop_oneof![Just(true), Just(false)],
            picks in prop::collection::vec((0usize..4, 0usize..400), 0..600),
        ) {
            let mut credit = Credit::new(Some(number), most, u64::MAX);
            credit.begin(guarded, 0);
            let (mut taken, mut acknowledged) = (Vec::<Taken>::new(), 0u64);
            // At the end everything arrives and is done.
            let end = (0..4000).flat_map(|_| [(0, 399), (1, 0)]);
            for (what, pick) in picks.into_iter().chain(end) {
                match what {
                    0 => {
                        let free = credit.prefetch().saturating_sub(in_hand(&taken).newer);
                        for _ in 0..free.min(pick as u64 + 1) {
                            taken.push(Taken { done: false, earlier: false });
                        }
                        prop_assert!(acknowledged + taken.len() as u64 <= number);
                    }
                    _ => {
                        let mut open: Vec<_> = taken.iter_mut().filter(|one| !one.done).collect();
                        let count = open.len().max(1);
                        if let Some(one) = open.get_mut(pick % count) {
                            one.done = true;
                        }
                    }
                }
                let hand = in_hand(&taken);
                if credit.is_met_with(hand.done) {
                    return Ok(());
                }
                let next = credit.next(hand);
                let mut may = credit.may_acknowledge(hand, false);
                if let Some(next) = next.filter(|_| changes) {
                    credit.changed(next);
                    for one in &mut taken {
                        one.earlier = true;
                    }
                    may = credit.may_acknowledge(in_hand(&taken), false);
                }
                credit.acknowledged(may);
                acknowledged += may;
                for _ in 0..may {
                    let index = taken.iter().position(|one| one.done);
                    taken.remove(index.unwrap());
                }
            }
            prop_assert!(false, "it never ends: {acknowledged} of {number}");
        }
    }
}
