//! The senders of a followed log: which run sent a line, how it ended, which duplicates that
//! explains.

use crate::torture::account::Account;
use crate::torture::line::Line;
use crate::torture::order::displaced;
use std::collections::{BTreeMap, HashMap};

/// The runs of rmq-send, and each one's lines that came out, the first time and if not marked.
#[derive(Debug, Default)]
pub struct Shipped {
    runs: Vec<Run>,
    /// By line, the runs that sent it.
    by: HashMap<u32, Vec<u32>>,
    /// By generation of the log and run: the lines in order of arrival.
    order: BTreeMap<(u32, u32), Vec<u32>>,
}

#[derive(Clone, Debug, Default)]
struct Run {
    /// Duplicates of lines that it sent itself.
    own: usize,
    /// Duplicates of its lines by later runs.
    later: usize,
    /// How many messages it sent again, if that is known.
    resent: Option<usize>,
    /// How many of its messages were not confirmed at its end; `None` if it was killed.
    unconfirmed: Option<usize>,
}

impl Shipped {
    /// A new run, by its number.
    pub fn begin(&mut self) -> u32 {
        self.runs.push(Run::default());
        self.runs.len() as u32 - 1
    }

    /// How a run has ended: how many messages it sent again, and leaves to the next one; `None`:
    /// unknown.
    pub fn end(&mut self, run: u32, resent: Option<usize>, unconfirmed: Option<usize>) {
        let ended = &mut self.runs[run as usize];
        (ended.resent, ended.unconfirmed) = (resent, unconfirmed);
    }

    /// A line arrived that a run has sent, not marked as redelivered.
    pub fn receive(&mut self, line: Line, run: u32) {
        let by = self.by.entry(line.number).or_default();
        if by.contains(&run) {
            self.runs[run as usize].own += 1;
            return;
        }
        if let Some(other) = by.last() {
            self.runs[(*other).min(run) as usize].later += 1;
        }
        by.push(run);
        self.order.entry((line.run, run)).or_default().push(line.number);
    }

    /// The runs that sent the last line that came before these, and the first one after them.
    fn around(&self, lost: &[u32]) -> String {
        let by = |number: u32| self.by.get(&number);
        let before = lost.first().and_then(|first| (0..*first).rev().find_map(by));
        let last = lost.last().copied().unwrap_or_default();
        let after = self.by.keys().filter(|number| **number > last).min().and_then(|it| by(*it));
        format!("{lost:?} between runs {before:?} and {after:?}")
    }

    /// Adds duplicates and order.
    pub fn account(&self, account: &mut Account) {
        for Run { own, later, resent, unconfirmed } in &self.runs {
            account.resent_told += resent.unwrap_or_default();
            match resent {
                Some(resent) => {
                    account.resent += own;
                    account.unexplained += own.saturating_sub(*resent);
                }
                None => account.untold += own,
            }
            account.untold += later;
            let explained = unconfirmed.unwrap_or(usize::MAX);
            account.unexplained += later.saturating_sub(explained);
        }
        for (run, Run { later, unconfirmed, .. }) in self.runs.iter().enumerate() {
            if unconfirmed.is_some_and(|unconfirmed| *later > unconfirmed) {
                account.remarks.push(format!("{later} copies of what run {run} had confirmed"));
            }
        }
        let gaps = account.lost.chunk_by(|one, next| *next == one + 1);
        account.remarks.extend(gaps.take(20).map(|lost| self.around(lost)));
        for ((_, run), order) in &self.order {
            if let Some(resent) = self.runs[*run as usize].resent {
                account.disordered += displaced(order).saturating_sub(resent);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(shipped: &Shipped) -> (usize, usize, usize) {
        let mut account = Account::default();
        shipped.account(&mut account);
        (account.untold, account.unexplained, account.disordered)
    }

    #[test]
    fn copies_are_explained_by_a_kill_or_by_what_was_not_confirmed_and_by_nothing_else() {
        let mut shipped = Shipped::default();
        let [first, second, third] = [(); 3].map(|()| shipped.begin());
        let line = |number| Line { number, run: 0 };
        for (number, run) in [(0, first), (1, first), (0, second), (1, second), (2, second)] {
            shipped.receive(line(number), run);
        }
        shipped.end(first, Some(0), None);
        shipped.end(second, Some(0), Some(1));
        assert_eq!(account(&shipped), (2, 0, 0));
        shipped.receive(line(2), third);
        shipped.end(third, Some(0), Some(0));
        assert_eq!(account(&shipped), (3, 0, 0));
        // Two that the second run has left, although only one was not confirmed.
        shipped.receive(line(1), third);
        assert_eq!(account(&shipped), (4, 1, 1));
        // One that a run sent twice without reporting it.
        shipped.receive(line(2), third);
        assert_eq!(account(&shipped), (4, 2, 1));
    }
}
