//! What the rmq tools share, and nothing that only one of them uses.
//!
//! * [`arguments`] turns a command line into a tool's own structure, the same way everywhere.
//! * [`options`] are the connection options every AMQP tool has, defined once.
//! * [`broker_url`] reads `amqp://` URLs, [`authority`] who and where in any; [`connection`] reaches the broker they name.
//! * [`lane`] carries messages past lapin, on its connection.
//! * [`envelope`] is one message as one line of JSON, read and written.
//! * [`failure`] and [`exit`] say what went wrong and with which exit status it ends;
//!   [`diagnostics`] is the only place that writes to standard error, [`escape`] what keeps a
//!   terminal from being steered.
//! * [`program`] is the frame of every `main`; [`standard_streams`], [`signals`] and
//!   `process_limits` are what a parent may have left in an unusual state.

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
