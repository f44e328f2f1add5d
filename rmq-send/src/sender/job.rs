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
    /// How long to continue without a confirm.
    pub retry: Limit,
    /// Where all messages go, if it is the same for all.
    pub fixed: Option<Arc<Route>>,
    /// The queue or exchange of this run's own records, if it is the same for all.
    pub checked_first: Option<Arc<Route>>,
    /// Whether an unroutable message is a failure.
    pub mandatory: bool,
    /// The input ends by itself, and can be read to its end even when nothing can be sent.
    pub finite: bool,
    /// What records are called.
    pub positions: Positions,
    /// Where records go when they leave.
    pub places: Places,
    /// Where records are until they are confirmed.
    pub spooled: Option<Spooled>,
    /// The followed files that records are read from.
    pub followed: Option<Followed>,
    /// The counts for other threads.
    pub live: Live<Tally>,
}
