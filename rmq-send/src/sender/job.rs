//! What a run is to do.

use crate::follow::handle::Followed;
use crate::input::positions::Positions;
use crate::record::item::Route;
use crate::results::places::Places;
use crate::results::tally::Tally;
use crate::spool::handle::Spooled;
use rmq_common::duration::Limit;
use rmq_common::standing::live::Live;
use std::sync::Arc;

/// What a run is to do.
pub struct Job {
    /// Messages that may be unconfirmed at once.
    pub window: usize,
    /// How long to go on without a confirm.
    pub retry: Limit,
    /// Where all messages go, if they go the same way.
    pub fixed: Option<Arc<Route>>,
    /// The queue or exchange of this run's own records, if there is one for all.
    pub checked_first: Option<Arc<Route>>,
    /// Whether what no queue takes is a failure.
    pub mandatory: bool,
    /// The input ends by itself, and can be read to its end even when nothing can be sent.
    pub finite: bool,
    /// What records are called.
    pub positions: Positions,
    /// Where records go when they leave.
    pub places: Places,
    /// Where records are until they are confirmed.
    pub spooled: Option<Spooled>,
    /// The files they are read from, which are followed.
    pub followed: Option<Followed>,
    /// The counts for those that ask.
    pub live: Live<Tally>,
}
