//! The parts of an AMQP 0-9-1 message besides its body: names, properties, tables of headers.
//!
//! lapin's types hold names as text and a table as a sorted map, so they lose names that are not
//! UTF-8, the order of headers and repeated names. These hold the wire format: a name is bytes, a
//! table is its bytes, checked once, and what was read is written unchanged. Nothing here does I/O
//! or recurses; the tests compare it with amq-protocol's parser and serialiser.

mod builder;
mod encoded;
mod name;
mod properties;
mod table;
mod value;

#[cfg(test)]
mod fuzz;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;

pub use builder::Builder;
pub use encoded::Encoded;
pub use name::{Name, TooLong};
pub use properties::{Octet, PROPERTIES, Properties, Property, Text};
pub(crate) use properties::{pass, raw_headers};
pub use table::{MAX_DEPTH, Table};
pub use value::{Field, Fields, Items, Value};
