//! What AMQP 0-9-1 says of a message beside its body: names, properties, tables of headers.
//!
//! lapin's own types hold names as text and a table as a sorted map, so that a name that is not
//! UTF-8, the order of headers and a name that stands twice are lost in them. These hold what is on
//! the wire: a name is bytes, a table is its bytes, checked once, and what was read is written as it
//! was. Nothing here does I/O or recurses; amq-protocol's parser and serialiser judge it in the tests.

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
