//! rmq-send's command line.

use argh::{ArgsInfo, FromArgs};
use rmq_common::with_connection_options;

/// The tool's name.
pub const PROGRAM: &str = "rmq-send";

with_connection_options! {
    /// Send each line of standard input to a queue, as a message the cluster has confirmed.
    ///
    /// Example: tail -F app.log | rmq-send logs
    #[derive(FromArgs, ArgsInfo, Clone, Debug)]
    #[argh(help_triggers("-h", "--help"))]
    pub struct Arguments {
        /// the queue to send to; it must be there
        #[argh(positional, arg_name = "QUEUE")]
        pub queue: String,

        /// how many messages may be unconfirmed at once; 1 keeps the order even across nacks.
        /// Default: 1024
        #[argh(option, arg_name = "N", default = "1024", from_str_fn(window))]
        pub window: usize,

        /// largest body in bytes; a longer record is an error. Default: 16777216, RabbitMQ 4's
        /// limit
        #[argh(option, arg_name = "BYTES", default = "16 << 20", from_str_fn(size))]
        pub max_size: usize,
    }
}

fn window(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(window) if (1..=65_535).contains(&window) => Ok(window),
        _ => Err("not a number from 1 to 65535".to_owned()),
    }
}

/// RabbitMQ takes no message above 512 MiB, whatever its configuration says
/// (<https://www.rabbitmq.com/docs/configure>, `max_message_size`).
fn size(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(size) if (1..=512 << 20).contains(&size) => Ok(size),
        _ => Err("not a number of bytes from 1 to 536870912".to_owned()),
    }
}
