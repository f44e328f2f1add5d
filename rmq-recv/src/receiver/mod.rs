//! Receiving: across connections, and on one of them.

pub mod checks;
pub mod command_results;
pub mod connected;
pub mod connections;
pub mod credit;
pub mod earlier;
pub mod hand;
pub mod idle;
pub mod intake;
pub mod last_acknowledgements;
pub mod lasting;
pub mod leader;
pub mod ledger;
pub mod pace;
pub mod prefetch_change;
pub mod quiet;
pub mod reconnect;
pub mod serve;
pub mod settle;
pub mod takeover;
pub mod tally;
pub mod timers;
