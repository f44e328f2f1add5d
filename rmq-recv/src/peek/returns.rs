//! What it costs a message to be put back into its queue, as `--peek` does.
//!
//! Before RabbitMQ 4.3 a quorum queue counts every return, and beyond its delivery limit it drops
//! or dead-letters the message. So peeking must be refused while there is a margin left for
//! consumers, and the refusal counts as well, because the count shows only when a message is taken.

/// The default delivery limit of a quorum queue, from RabbitMQ 4.0 on
/// (<https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling>).
const DEFAULT_LIMIT: u64 = 20;

/// What a queue does with messages that are put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// Nothing: it does not count them.
    Free,
    /// It counts them, and has no limit of its own.
    Unlimited,
    /// It drops or dead-letters a message that is put back more often than this.
    Limited(u64),
    /// The broker does not say.
    NotKnown,
}

/// What to do with a message that was taken by `--peek`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Show it and put it back.
    Show,
    /// Put it back, and say why it is not shown.
    Refuse,
    /// Putting it back would lose it.
    Last,
}

impl Returns {
    /// For a quorum queue with this `x-delivery-limit`, on a broker `from_4_0` on or before.
    pub fn of_quorum(limit: Option<i64>, from_4_0: bool) -> Self {
        match limit.map(u64::try_from) {
            Some(Ok(limit)) => Returns::Limited(limit),
            Some(Err(_)) if from_4_0 => Returns::Unlimited,
            // RabbitMQ 3.10 drops any message that comes back to a queue with a limit of -1.
            Some(Err(_)) => Returns::Limited(0),
            None if from_4_0 => Returns::Limited(DEFAULT_LIMIT),
            None => Returns::Unlimited,
        }
    }

    fn limit(self) -> Option<u64> {
        match self {
            Returns::Free | Returns::Unlimited => None,
            Returns::Limited(limit) => Some(limit),
            Returns::NotKnown => Some(DEFAULT_LIMIT),
        }
    }

    /// The limit, if it leaves no margin to put back any message of the queue even once.
    pub fn forbids(self) -> Option<u64> {
        self.limit().filter(|limit| *limit < 2)
    }

    /// Whether a message that has come back `count` times may be shown: consumers keep half of the
    /// returns.
    pub fn judge(self, count: u64) -> Verdict {
        match self.limit() {
            Some(limit) if count >= limit => Verdict::Last,
            Some(limit) if count.saturating_mul(2) >= limit => Verdict::Refuse,
            _ => Verdict::Show,
        }
    }

    /// What peeking at `queue` has cost; `most` is the highest return count of its messages before.
    pub fn notice(self, queue: &str, most: u64) -> Option<String> {
        Some(match self {
            Returns::Free => return None,
            Returns::Unlimited => format!(
                "peeking at {queue} counts as a delivery of each message; the queue has no delivery \
                 limit of its own"
            ),
            Returns::Limited(limit) => format!(
                "peeking at {queue} counts as a delivery of each message: {}, and the queue drops or \
                 dead-letters it after {limit}",
                left(limit.saturating_sub(most + 1))
            ),
            Returns::NotKnown => format!(
                "peeking at {queue} counts as a delivery of each message if it is a quorum queue; its \
                 delivery limit is not known without the configure permission (20 by default from \
                 RabbitMQ 4.0 on)"
            ),
        })
    }

    /// Why a message that has come back `count` times is refused.
    pub fn refusal(self, count: u64) -> String {
        let after = match self.limit() {
            Some(limit) => format!(
                "{}, and the queue drops or dead-letters it after {limit}",
                left(limit.saturating_sub(count + 1))
            ),
            None => "it may be dropped".to_owned(),
        };
        let sure = if self == Returns::NotKnown { " (20 by default; not known here)" } else { "" };
        format!(
            "its next message was returned {count} times, and this attempt counts too: {after}{sure} \
             (receive it instead)"
        )
    }
}

fn left(count: u64) -> String {
    match count {
        0 => "one message cannot be returned again".to_owned(),
        1 => "one message can be returned 1 more time".to_owned(),
        count => format!("one message can be returned {count} more times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_limit_means_what_the_release_takes_it_for() {
        let of = Returns::of_quorum;
        assert_eq!((of(None, false), of(None, true)), (Returns::Unlimited, Returns::Limited(20)));
        assert_eq!(
            (of(Some(-1), false), of(Some(-1), true)),
            (Returns::Limited(0), Returns::Unlimited)
        );
        assert_eq!(
            (of(Some(3), false), of(Some(3), true)),
            (Returns::Limited(3), Returns::Limited(3))
        );
    }

    #[test]
    fn half_of_the_returns_are_left_to_consumers() {
        let shown =
            |returns: Returns| (0..100).take_while(|n| returns.judge(*n) == Verdict::Show).count();
        assert_eq!(shown(Returns::Limited(20)), 10);
        assert_eq!(shown(Returns::NotKnown), 10);
        assert_eq!(shown(Returns::Limited(3)), 2);
        assert_eq!(shown(Returns::Unlimited), 100);
        assert_eq!(shown(Returns::Free), 100);
        assert_eq!(Returns::Limited(1).forbids(), Some(1));
        assert_eq!(Returns::Limited(2).forbids(), None);
    }

    proptest! {
        /// However often messages are peeked at, none is put back that the queue would drop.
        #[test]
        fn what_is_put_back_is_kept(limit in 0u64..200) {
            let returns = Returns::Limited(limit);
            for count in 0..limit + 2 {
                if returns.judge(count) != Verdict::Last {
                    prop_assert!(count < limit);
                }
            }
        }
    }
}
