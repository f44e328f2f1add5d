//! The result of a ledger, and the faults in it.

/// The result of a ledger.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Different lines that were given to rmq-send.
    pub lines: usize,
    /// How often a line was given to another run, because one ended before the line was confirmed.
    pub again: usize,
    /// Lines that a run confirmed or kept.
    pub promised: usize,
    /// Different lines that came out.
    pub out: usize,
    /// Duplicates marked as delivered before.
    pub redelivered: usize,
    /// Unmarked duplicates, of messages that a run counted as sent again.
    pub resent: usize,
    /// The most of these that there may be.
    pub resent_told: usize,
    /// Unmarked duplicates of runs that were killed before they could report what they sent again.
    pub untold: usize,
    /// Pieces of lines.
    pub torn: usize,
    /// Lines out of order, although sent once: more than their run has sent again.
    pub disordered: usize,
    /// Lines that were promised and did not come out.
    pub lost: Vec<u32>,
    /// Lines that a killed run with a spool had not read, or that were removed from a log before
    /// they were sent.
    pub unread: usize,
    /// Duplicates that nothing that happened to the senders of a followed log explains.
    pub unexplained: usize,
    /// Hints on what is wrong with a followed log.
    pub remarks: Vec<String>,
    /// What came out without having been sent.
    pub foreign: Vec<String>,
}

impl Account {
    /// The faults, in words; empty if there are none. `torn` pieces of lines are allowed.
    pub fn faults(&self, torn: usize) -> Vec<String> {
        let mut faults = Vec::new();
        let mut fault = |wrong: bool, text: String| {
            if wrong {
                faults.push(text);
            }
        };
        let first = |numbers: &[u32]| format!("{:?}", &numbers[..numbers.len().min(20)]);
        fault(!self.lost.is_empty(), format!("{} lost: {}", self.lost.len(), first(&self.lost)));
        let foreign = self.foreign.first();
        fault(foreign.is_some(), format!("{} never sent: {foreign:?}", self.foreign.len()));
        fault(self.disordered > 0, format!("{} out of order", self.disordered));
        let (resent, told) = (self.resent, self.resent_told);
        fault(resent > told, format!("{resent} copies, and {told} are said to be sent again"));
        let unexplained = self.unexplained;
        fault(unexplained > 0, format!("{unexplained} copies that no kill or resending explains"));
        for remark in &self.remarks {
            fault(true, remark.clone());
        }
        fault(self.torn > torn, format!("{} torn lines, and {torn} kills", self.torn));
        faults
    }
}
