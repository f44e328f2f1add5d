//! How many messages may be taken: the prefetch, and what `-n` leaves of it.
//!
//! The first message of a connection is taken alone: a message that makes us die must not cost a
//! whole prefetch of others a delivery each, because quorum queues count deliveries and drop or
//! dead-letter what has had too many.
//!
//! With `-n N` no more than N are ever taken. A broker hands out as many as are acknowledged plus
//! the prefetch. So an acknowledgement that would let that sum pass N is only sent once the
//! consumer is cancelled; if fewer than N had come by then, a new consumer asks for the rest, with
//! a smaller prefetch.
//!
//! RabbitMQ has no prefetch in bytes. The largest body so far stands for all: no more are asked for
//! than fit into `--prefetch-bytes` if all were like it.

/// Keeps count.
#[derive(Clone, Debug)]
pub struct Credit {
    /// What `-n` still asks for; `None` is without end.
    wanted: Option<u64>,
    /// `--prefetch`.
    most: u16,
    /// `--prefetch-bytes`.
    bytes: u64,
    /// The largest body so far.
    largest: u64,
    /// The prefetch of the consumer there is.
    prefetch: u16,
    /// What was taken and not acknowledged when it began.
    before: u64,
    /// Nothing has been acknowledged on this connection.
    first: bool,
}

impl Credit {
    /// For `wanted` messages (`None`: all), at most `most` of them or so many bytes at once.
    pub fn new(wanted: Option<u64>, most: u16, bytes: u64) -> Self {
        Credit { wanted, most, bytes, largest: 1, prefetch: 1, before: 0, first: true }
    }

    /// A new connection, or a channel that begins anew.
    pub fn reconnected(&mut self) {
        self.first = true;
    }

    /// A body of this length has come.
    pub fn seen(&mut self, length: usize) {
        self.largest = self.largest.max(length as u64);
    }

    /// The prefetch for a new consumer, where so many are taken and not acknowledged.
    pub fn next_prefetch(&mut self, taken: u64) -> u16 {
        self.before = taken;
        self.prefetch = match self.wanted {
            _ if self.first => 1,
            None => self.limit(),
            // Half of the rest, so that the consumer need not be cancelled over each message when
            // they come slowly.
            Some(wanted) => {
                let wanted = wanted.saturating_sub(taken);
                u16::try_from((wanted / 2).max(1)).unwrap_or(u16::MAX).min(self.limit())
            }
        };
        self.prefetch
    }

    /// The prefetch of the consumer there is: with so many unacknowledged nothing more is on its
    /// way.
    pub fn prefetch(&self) -> u64 {
        u64::from(self.prefetch)
    }

    /// Whether the consumer must be cancelled before so many are acknowledged: more than wanted
    /// could be taken, or more than memory is meant to hold, or it is time for the full prefetch;
    /// only a new consumer gets another one.
    pub fn must_cancel_before(&self, acknowledged: u64) -> bool {
        let may_come = u64::from(self.prefetch) + self.before;
        let exceeds =
            self.wanted.is_some_and(|wanted| wanted.saturating_sub(acknowledged) < may_come);
        exceeds || (self.first && self.limit() > 1) || self.prefetch > self.limit()
    }

    /// So many have been acknowledged.
    pub fn acknowledged(&mut self, count: u64) {
        self.first = self.first && count == 0;
        if let Some(wanted) = &mut self.wanted {
            *wanted = wanted.saturating_sub(count);
        }
    }

    /// Whether all that `-n` asked for has come.
    pub fn is_met(&self) -> bool {
        self.wanted == Some(0)
    }

    /// Whether all that `-n` asked for will have come with so many more.
    pub fn is_met_with(&self, more: u64) -> bool {
        self.wanted.is_some_and(|wanted| wanted <= more)
    }

    /// Whether more are wanted than so many that are taken already.
    pub fn wants(&self, taken: u64) -> bool {
        self.wanted.is_none_or(|wanted| wanted > taken)
    }

    /// Whether `-n` asks for more.
    pub fn is_short(&self) -> bool {
        self.wanted.is_some_and(|wanted| wanted > 0)
    }

    /// The most to ask for at once.
    fn limit(&self) -> u16 {
        u16::try_from((self.bytes / self.largest).max(1)).unwrap_or(u16::MAX).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_message_is_taken_alone_and_the_full_prefetch_comes_after_it() {
        let mut credit = Credit::new(None, 300, u64::MAX);
        assert_eq!(credit.next_prefetch(0), 1);
        assert!(credit.must_cancel_before(1));
        credit.acknowledged(1);
        assert_eq!(credit.next_prefetch(0), 300);
        assert!(!credit.must_cancel_before(300));
        credit.reconnected();
        assert_eq!(credit.next_prefetch(0), 1);
    }

    /// A broker that has enough and hands out all it may; batches of any size are acknowledged.
    fn taken(number: u64, most: u16, batch: u64) -> u64 {
        let mut credit = Credit::new(Some(number), most, u64::MAX);
        let (mut taken, mut acknowledged) = (0, 0);
        while !credit.is_met() {
            let prefetch = u64::from(credit.next_prefetch(0));
            let mut cancelled = false;
            loop {
                if !cancelled {
                    taken = taken.max(acknowledged + prefetch);
                }
                let count = batch.min(taken - acknowledged);
                if count == 0 {
                    break;
                }
                cancelled |= credit.must_cancel_before(count);
                credit.acknowledged(count);
                acknowledged += count;
            }
        }
        taken
    }

    #[test]
    fn no_more_than_asked_for_is_ever_taken() {
        for number in 1..60 {
            for most in [1, 2, 3, 10, 300] {
                for batch in [1, 2, 7, 1000] {
                    assert_eq!(taken(number, most, batch), number, "-n {number}, {most}, {batch}");
                }
            }
        }
    }

    #[test]
    fn large_bodies_lower_the_prefetch_of_the_next_consumer() {
        let mut credit = Credit::new(None, 300, 64 << 20);
        credit.seen(100);
        credit.next_prefetch(0);
        credit.acknowledged(1);
        assert_eq!(credit.next_prefetch(0), 300);
        credit.seen(1 << 20);
        assert!(credit.must_cancel_before(1));
        assert_eq!(credit.next_prefetch(0), 64);
        credit.seen(5);
        assert!(!credit.must_cancel_before(1));
        credit.seen(1 << 30);
        assert_eq!(credit.next_prefetch(0), 1);
        assert!(!credit.must_cancel_before(1));
    }
}
