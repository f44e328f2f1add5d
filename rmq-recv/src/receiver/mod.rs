//! Receiving: across connections, and on one of them.

pub mod checks;
pub mod command_results;
pub mod connected;
pub mod credit;
pub mod idle;
pub mod intake;
pub mod last_acknowledgements;
pub mod lasting;
pub mod ledger;
pub mod pace;
pub mod prefetch_change;
pub mod reconnect;
pub mod settle;
pub mod tally;
pub mod timers;
