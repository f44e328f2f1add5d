//! An AMQP error: what it means, whether trying again can help, and how it is reported.
//!
//! The broker's text is parsed once, in [`reading`], with the phrases in [`words`].

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
