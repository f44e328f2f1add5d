//! What earlier connections have shown, for use by the next one.

use rmq_common::duration::Limit;
use rmq_common::retry::Patience;
use std::time::Duration;

/// How often in a row a broker may answer something that was not asked before that is an error.
const UNASKED: u32 = 3;

/// What is known about earlier connections, and for how long to open new ones.
#[derive(Debug)]
pub struct Earlier {
    patience: Patience,
    /// Whether there was one.
    was_connected: bool,
    /// The last of them serves, or was the first: only for others is it reported that they serve.
    serves: bool,
    /// Whether the broker has accepted a consumer on the last of them.
    consumed: bool,
    /// Whether one was lost because the broker allows no second channel.
    one_channel: bool,
    /// How much was acknowledged when the broker last answered something that was not asked.
    unasked_after: u64,
    /// How often in a row it has done so with nothing acknowledged in between.
    unasked: u32,
}

impl Earlier {
    /// None yet; connects for as long as `retry` says.
    pub fn new(retry: Limit) -> Self {
        Earlier {
            patience: Patience::new(retry),
            was_connected: false,
            serves: true,
            consumed: false,
            one_channel: false,
            unasked_after: 0,
            unasked: 0,
        }
    }

    /// Whether there was one.
    pub fn was_connected(&self) -> bool {
        self.was_connected
    }

    /// For how long to try to connect.
    pub fn patience(&self) -> &Patience {
        &self.patience
    }

    /// A reader that pauses does not mean that the broker cannot be reached; but a broker that is
    /// reached may still accept no consumer.
    pub fn reader_paused(&mut self, pause: Duration) {
        self.patience.leave_out(pause);
    }

    /// Notes another connection.
    pub fn reconnected(&mut self) {
        (self.was_connected, self.serves) = (true, false);
    }

    /// The broker has accepted a consumer. Returns whether to report it: the first on another
    /// connection.
    pub fn consumes(&mut self) -> bool {
        self.consumed = true;
        !std::mem::replace(&mut self.serves, true)
    }

    /// A connection was lost. Returns the limit, if there may be no other one.
    pub fn lost(&mut self) -> Option<Limit> {
        if std::mem::take(&mut self.consumed) {
            self.patience.progress();
        }
        self.patience.is_over().then(|| self.patience.limit())
    }

    /// A connection was lost because the broker allows no second channel.
    pub fn refused_a_channel(&mut self) {
        self.one_channel = true;
    }

    /// Whether the broker is known to allow no second channel.
    pub fn allows_one_channel(&self) -> bool {
        self.one_channel
    }

    /// The broker has answered something that was not asked, after this much was acknowledged.
    /// Returns whether to try again: not the third time in a row with nothing acknowledged in
    /// between.
    pub fn may_answer_unasked(&mut self, acknowledged: u64) -> bool {
        let before = std::mem::replace(&mut self.unasked_after, acknowledged);
        self.unasked = if acknowledged > before { 1 } else { self.unasked + 1 };
        self.unasked < UNASKED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_that_answers_unasked_again_and_again_is_left_unless_work_goes_on() {
        let mut earlier = Earlier::new(Limit::Forever);
        let may = [0, 0, 5, 5, 5].map(|acknowledged| earlier.may_answer_unasked(acknowledged));
        assert_eq!(may, [true, true, true, true, false]);
    }

    #[test]
    fn that_a_connection_serves_is_reported_once_and_not_of_the_first() {
        let mut earlier = Earlier::new(Limit::Forever);
        assert!(!earlier.consumes());
        earlier.reconnected();
        // Lost before there was a consumer.
        earlier.reconnected();
        assert!(earlier.consumes());
        assert!(!earlier.consumes());
    }

    #[test]
    fn without_patience_the_first_loss_is_the_last_whether_or_not_there_was_a_consumer() {
        let mut earlier = Earlier::new(Limit::For(Duration::ZERO));
        earlier.consumes();
        assert!(earlier.lost().is_some() && earlier.lost().is_some());
        assert!(Earlier::new(Limit::Forever).lost().is_none());
    }
}
