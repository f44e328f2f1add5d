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

/// Keeps count.
#[derive(Clone, Debug)]
pub struct Credit {
    /// What `-n` still asks for; `None` is without end.
    wanted: Option<u64>,
    /// `--prefetch`.
    most: u16,
    /// The prefetch of the consumer there is.
    prefetch: u16,
    /// Nothing has been acknowledged on this connection.
    first: bool,
}

impl Credit {
    /// For `wanted` messages (`None`: all), at most `most` of them at once.
    pub fn new(wanted: Option<u64>, most: u16) -> Self {
        Credit { wanted, most, prefetch: 1, first: true }
    }

    /// A new connection, or a channel that begins anew.
    pub fn reconnected(&mut self) {
        self.first = true;
    }

    /// The prefetch for a new consumer.
    pub fn next_prefetch(&mut self) -> u16 {
        self.prefetch = match self.wanted {
            _ if self.first => 1,
            None => self.most,
            // Half of the rest, so that the consumer need not be cancelled over each message when
            // they come slowly.
            Some(wanted) => u16::try_from((wanted / 2).max(1)).unwrap_or(u16::MAX).min(self.most),
        };
        self.prefetch
    }

    /// The prefetch of the consumer there is: with so many unacknowledged nothing more is on its
    /// way.
    pub fn prefetch(&self) -> u64 {
        u64::from(self.prefetch)
    }

    /// Whether the consumer must be cancelled before so many are acknowledged: either more than
    /// wanted could be taken, or it is time for the full prefetch, which only a new consumer gets.
    pub fn must_cancel_before(&self, acknowledged: u64) -> bool {
        let exceeds = self
            .wanted
            .is_some_and(|wanted| wanted.saturating_sub(acknowledged) < u64::from(self.prefetch));
        exceeds || (self.first && self.most > 1)
    }

    /// So many have been acknowledged.
    pub fn acknowledged(&mut self, count: u64) {
        self.first = false;
        if let Some(wanted) = &mut self.wanted {
            *wanted = wanted.saturating_sub(count);
        }
    }

    /// Whether all that `-n` asked for has come.
    pub fn is_met(&self) -> bool {
        self.wanted == Some(0)
    }

    /// Whether `-n` asks for more.
    pub fn is_short(&self) -> bool {
        self.wanted.is_some_and(|wanted| wanted > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_message_is_taken_alone_and_the_full_prefetch_comes_after_it() {
        let mut credit = Credit::new(None, 300);
        assert_eq!(credit.next_prefetch(), 1);
        assert!(credit.must_cancel_before(1));
        credit.acknowledged(1);
        assert_eq!(credit.next_prefetch(), 300);
        assert!(!credit.must_cancel_before(300));
        credit.reconnected();
        assert_eq!(credit.next_prefetch(), 1);
    }

    /// A broker that has enough and hands out all it may; batches of any size are acknowledged.
    fn taken(number: u64, most: u16, batch: u64) -> u64 {
        let mut credit = Credit::new(Some(number), most);
        let (mut taken, mut acknowledged) = (0, 0);
        while !credit.is_met() {
            let prefetch = u64::from(credit.next_prefetch());
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
}
