//! What the rmq tools share; nothing here is for a single tool.
//!
//! * [`arguments`] parses a command line into a tool's own structure, the same way everywhere.
//! * [`options`] are the connection options of every AMQP tool, defined once.
//! * [`broker_url`] parses `amqp://` URLs, [`authority`] the user and the hosts of any URL;
//!   [`connection`] connects to the broker they name.
//! * [`lane`] carries messages on lapin's connection without lapin.
//! * [`envelope`] reads and writes a message as one line of JSON.
//! * [`failure`] and [`exit`] say what went wrong and the exit status; [`diagnostics`] is the only
//!   place that writes to standard error; [`escape`] keeps text from controlling a terminal.
//! * [`program`] is the frame of every `main`; [`standard_streams`], [`signals`] and
//!   `process_limits` deal with what a parent may have left in an unusual state.

pub mod backslash;
mod cli;
pub mod envelope;
pub mod files;
pub mod names;
mod net;
pub mod random;
pub mod sheet;
pub mod standing;
pub mod thread;
pub use cli::{
    argument_bytes, arguments, count, diagnostics, duration, escape, exit, failure, help, nearest,
    options, password, profiles, program, progress, secret, service_manager, settings, signals,
    size, standard_streams,
};
pub use envelope::{ack_line, frame, message, timestamp};
pub use net::{
    amqp_error, authority, broker_url, connection, declaration, lane, retry, runtime, server,
    session, tls, tls_error,
};
