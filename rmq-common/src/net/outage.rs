//! What was reported about an outage, across its connections: its beginning and end, once each.

use std::cell::Cell;

/// Whether an outage has been reported.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    /// A connection was lost, and no other one serves yet.
    lost: Cell<bool>,
    /// A question has been waiting long for its answer.
    slow: Cell<bool>,
}

impl Outage {
    /// A connection is lost. Returns whether that is to be reported.
    pub(crate) fn lose(&self) -> bool {
        !self.lost.replace(true)
    }

    /// Whether a connection was lost and none serves.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.get()
    }

    /// A question has been waiting long. Returns whether that is to be reported: not after a
    /// reported loss or another question.
    pub(crate) fn slow(&self) -> bool {
        !self.lost.get() && !self.slow.replace(true)
    }

    /// Whether a question was reported that is not answered yet.
    pub(crate) fn is_slow(&self) -> bool {
        self.slow.get()
    }

    /// The question that was reported is answered.
    pub(crate) fn answered(&self) {
        self.slow.set(false);
    }

    /// A connection serves. Returns whether a question was reported whose answer was not.
    pub(crate) fn end(&self) -> bool {
        self.lost.set(false);
        self.slow.replace(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_again_before_it_serves_is_no_news() {
        let outage = Outage::default();
        assert!(outage.lose());
        assert!(!outage.lose());
        assert!(!outage.slow());
        assert!(!outage.end());
        assert!(outage.lose());
    }

    #[test]
    fn of_many_questions_one_is_reported_and_its_end_is_by_the_next_connection_at_last() {
        let outage = Outage::default();
        assert!(outage.slow());
        assert!(!outage.slow());
        outage.answered();
        assert!(outage.slow());
        // The loss gives the reason.
        assert!(outage.lose());
        assert!(outage.end());
        assert!(!outage.end());
    }
}
