//! rmq-recv's command line.

use argh::{ArgsInfo, FromArgs};
use rmq_common::with_connection_options;

/// The tool's name.
pub const PROGRAM: &str = "rmq-recv";

with_connection_options! {
    /// Write each message of a queue to standard output as a line, and acknowledge it once it is
    /// out.
    ///
    /// Example: rmq-recv --drain jobs > jobs.txt
    #[derive(FromArgs, ArgsInfo, Clone, Debug)]
    #[argh(help_triggers("-h", "--help"))]
    pub struct Arguments {
        /// the queue to receive from; it is never declared here
        #[argh(positional, arg_name = "QUEUE")]
        pub queue: String,

        /// stop after N messages, and never take more of them; exit 1 where there were fewer
        #[argh(option, short = 'n', arg_name = "N", from_str_fn(number))]
        pub number: Option<u64>,

        /// stop when the queue has nothing more for us
        #[argh(switch)]
        pub drain: bool,

        /// how many messages may be on their way or unacknowledged at once. Default: 300
        #[argh(option, arg_name = "N", default = "300", from_str_fn(prefetch))]
        pub prefetch: u16,
    }
}

fn number(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("not a number from 1".to_owned()),
    }
}

/// Quorum queues take no more than 2000
/// (<https://www.rabbitmq.com/docs/quorum-queues>, consumer prefetch).
fn prefetch(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(prefetch) if (1..=2000).contains(&prefetch) => Ok(prefetch),
        _ => Err("not a number from 1 to 2000".to_owned()),
    }
}
