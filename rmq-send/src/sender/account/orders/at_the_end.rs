//! What must be true when a run is over.

use super::*;
use std::collections::BTreeSet;

impl World {
    /// Ends the run.
    pub(super) fn end(mut self) {
        if self.duties.kept {
            self.account.count_unknown();
            return;
        }
        self.account.close();
        self.perform();
        for item in std::mem::take(&mut self.input) {
            self.account.never_entered(item);
            self.perform();
        }
        self.account.keep_left_over();
        self.perform();
        let torn = self.underway;
        self.account.end();
        self.perform();
        assert!(self.underway.is_none());
        if self.duties.rejects && !self.has_failed {
            // Everything that is not confirmed is kept, once, except what had no end.
            let all = (1..=self.read).filter(|number| {
                let known = self.confirmed.contains(number) || self.empty.contains(number);
                !known && torn != Some(*number)
            });
            let entered: BTreeSet<u64> = all.collect();
            let kept: BTreeSet<u64> = self.kept.iter().copied().collect();
            let dropped: Vec<_> = kept.difference(&entered).collect();
            assert!(dropped.iter().all(|number| self.empty.contains(number)), "{dropped:?}");
            assert_eq!(entered.difference(&kept).next(), None, "neither confirmed nor kept");
        }
        let ranges = |numbers: &BTreeSet<u64>| numbers.iter().copied().collect::<Ranges>();
        assert_eq!(self.account.confirmed.to_string(), ranges(&self.confirmed).to_string());
        let confirmations = self.account.tally().confirmed;
        assert_eq!(confirmations, self.confirmed.len() as u64);
        let unknown = self
            .sent
            .iter()
            .filter(|number| !self.confirmed.contains(number) && !self.refused.contains(number));
        let unknown: Ranges = unknown.copied().collect();
        assert_eq!(self.account.leftovers.unknown.to_string(), unknown.to_string());
        let (verdict, _) = self.account.into_results(None);
        let incomplete = self.confirmed.len() + self.empty.len() < self.read as usize;
        assert!(!incomplete || verdict.outcome().is_err(), "something is missing without a word");
    }
}
