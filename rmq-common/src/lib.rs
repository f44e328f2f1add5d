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

pub mod ack_line;
pub mod argument_bytes;
pub mod arguments;
pub mod backslash;
mod completions;
pub mod count;
pub mod diagnostics;
pub mod duration;
pub mod envelope;
pub mod escape;
pub mod exit;
pub mod failure;
pub mod files;
pub mod help;
pub mod message;
pub mod names;
pub mod nearest;
mod net;
pub mod options;
mod process_limits;
pub mod profiles;
pub mod program;
pub mod progress;
pub mod random;
mod redact;
pub mod secret;
pub mod sheet;
pub mod signals;
pub mod size;
pub mod standard_streams;
pub mod thread;
pub mod timestamp;
pub use net::{
    amqp_error, authority, broker_url, connection, declaration, lane, retry, runtime, server,
    session, tls, tls_error,
};
