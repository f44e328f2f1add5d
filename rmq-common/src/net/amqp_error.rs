//! An error of AMQP's: what it means, whether trying again can help, and what is said of it.
//!
//! What the broker says is read once, in [`reading`], by its phrases in [`words`]. Everything else
//! matches on what was read.

mod code;
mod error;
mod kinds;
mod of_lapin;
mod reading;
#[cfg(test)]
mod sources_tests;
mod words;
#[cfg(test)]
mod words_tests;

pub use error::{AmqpError, Lost, Refused, Violation};
pub use kinds::{
    Access, Breach, Inequivalent, Invalid, Loss, Missing, Permission, Refusal, Thing, Value,
};
pub use words::{alarm, is_unroutable};
