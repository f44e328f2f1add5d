//! Receiving: across connections, and on one of them.
//!
//! `connections` is the loop over connections, and `lasting` what outlives them; `serve` is the loop
//! on one, and `connected` what belongs to it. What happens goes to `intake` (messages), `settle`
//! (acknowledgements), `command_results`, `checks` (of the queue) or `timers`. What to do is decided
//! without I/O: by `hand`, with its `ledger` and `credit`, of messages; by `quiet`, `idle`, `pace`
//! and `takeover` of the consumer; by `earlier` of the next connection.

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
