//! Records that failed for good and are kept: how many, the first one, and the worst status.

use rmq_common::diagnostics::Diagnostics;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;

/// How many rejected records are reported one by one.
const REPORTED: u64 = 10;

#[derive(Debug, Default)]
pub struct RejectedSummary {
    count: u64,
    /// The first in the input, and why it failed.
    first: Option<(u64, Failure)>,
    worst: Option<Exit>,
    /// Where they are: `kept in bad`.
    whereabouts: Option<String>,
}

impl RejectedSummary {
    /// Counts the record `number` as rejected, and reports it unless many were reported already.
    pub fn add(&mut self, number: u64, why: Failure, diagnostics: Diagnostics) {
        match self.count {
            ..REPORTED => diagnostics.notice(&why.to_string()),
            REPORTED => diagnostics.notice("further rejected records are only counted"),
            _ => {}
        }
        self.count += 1;
        self.worst = self.worst.max(Some(why.exit()));
        if self.first.as_ref().is_none_or(|(first, _)| number < *first) {
            self.first = Some((number, why));
        }
    }

    /// Sets where they are: `kept in bad`.
    pub fn are(&mut self, whereabouts: String) {
        self.whereabouts = Some(whereabouts);
    }

    /// One of them is not kept after all.
    pub fn take_back(&mut self) {
        self.count = self.count.saturating_sub(1);
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The first of them.
    pub fn first(&self) -> Option<&Failure> {
        self.first.as_ref().map(|(_, why)| why)
    }

    /// The worst status among them.
    pub fn worst(&self) -> Option<Exit> {
        self.worst
    }

    /// `; 2 records rejected, kept in bad`; empty if there are none.
    pub fn shown(&self) -> String {
        let kept = self.whereabouts.as_ref().map(|whereabouts| format!(", {whereabouts}"));
        let kept = kept.unwrap_or_default();
        match self.count {
            0 => String::new(),
            1 => format!("; 1 record rejected{kept}"),
            count => format!("; {count} records rejected{kept}"),
        }
    }
}
