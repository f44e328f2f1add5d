//! rmq-recv's command line.

use crate::delivery::framing::Framing;
use crate::queue::offset::Offset;
use argh::{ArgsInfo, FromArgs};
use rmq_common::argument_bytes;
use rmq_common::help::Help;
use rmq_common::lane;
use rmq_common::{duration, size, with_connection_options};
use std::str::FromStr;
use std::time::Duration;

/// The tool's name.
pub const PROGRAM: &str = "rmq-recv";

/// What `--help` says besides the options.
pub const HELP: Help = Help {
    usage: &[
        "[options] QUEUE",
        "[options] QUEUE -- COMMAND [ARGUMENT...]",
        "[options] -e EXCHANGE [-r KEY]...",
    ],
    example: "rmq-recv --drain jobs > jobs.txt",
    groups: &[
        ("Source", "--exchange"),
        ("When to stop", "--number"),
        ("Records", "--format"),
        ("Acknowledgements", "--ack"),
        ("Command", "--jobs"),
        ("This run", "--progress"),
    ],
    common: &[
        "--exchange",
        "--routing-key",
        "--peek",
        "--number",
        "--drain",
        "--idle",
        "--format",
        "--ack",
        "--jobs",
        "--on-failure",
    ],
    commands: &[],
};

with_connection_options! {
    /// Write each message of a queue to standard output and acknowledge it.
    #[derive(FromArgs, ArgsInfo, Clone, Debug)]
    #[argh(help_triggers("-h", "--help"))]
    pub struct Arguments {
        /// the queue to receive from; it is never declared. A command after -- is run for each message,
        /// with the body on its standard input
        #[argh(positional, arg_name = "QUEUE -- COMMAND")]
        pub words: Vec<String>,

        /// tap this exchange instead of a queue
        #[argh(option, short = 'e', arg_name = "NAME")]
        pub exchange: Option<String>,

        /// with --exchange: a routing key or pattern (repeatable). Default: #, everything
        #[argh(option, short = 'r', arg_name = "KEY", from_str_fn(argument_bytes::utf_8))]
        pub routing_key: Vec<String>,

        /// where to start in a stream; SECONDS count from 1970, a TIME is like 2026-11-23T12:00:00Z
        #[argh(option, arg_name = "first|last|next|N|@SECONDS|TIME")]
        pub offset: Option<Offset>,

        /// show up to N messages and put them back
        #[argh(option, arg_name = "N", from_str_fn(number))]
        pub peek: Option<u64>,

        /// stop after N messages and never take more; exit 1 if there were fewer
        #[argh(option, short = 'n', arg_name = "N", from_str_fn(number))]
        pub number: Option<u64>,

        /// stop when the queue has no more messages
        #[argh(switch)]
        pub drain: bool,

        /// stop if nothing comes for this long: 500ms, 30s, 5m
        #[argh(option, arg_name = "DURATION", from_str_fn(length_of_time))]
        pub idle: Option<Duration>,

        /// stop after this long, even if messages still come: 500ms, 30s, 5m
        #[argh(option, arg_name = "DURATION", from_str_fn(length_of_time))]
        pub timeout: Option<Duration>,

        /// the record format. length: a 4-byte big-endian length and the body; json: one envelope a line;
        /// pretty: a block to read; or a template such as '%r\t%{message_id}\t%s\n'. Default: lines
        #[argh(option, short = 'f', arg_name = "lines|nul|length|json|pretty|TEMPLATE")]
        pub format: Option<Framing>,

        /// end records with a zero byte; the same as --format nul
        #[argh(switch, short = '0')]
        pub nul: bool,

        /// with --format json: keep the user_id property
        #[argh(switch)]
        pub keep_user_id: bool,

        /// with --format json: keep the CC and BCC headers
        #[argh(switch)]
        pub keep_cc: bool,

        /// with --format json: keep the headers that the broker adds
        #[argh(switch)]
        pub keep_x: bool,

        /// when to acknowledge: once read from the pipe, once written, or once rmq-send --ack-to
        /// reports it. Default: read if standard output is a pipe, else written
        #[argh(option, arg_name = "read|written|downstream")]
        pub ack: Option<Ack>,

        /// the FIFO that rmq-send --ack-to writes to; implies --ack downstream
        #[argh(option, arg_name = "FIFO")]
        pub ack_from: Option<String>,

        /// acknowledge a message only when it is on disk
        #[argh(switch)]
        pub fsync: bool,

        /// limit the messages on their way or unacknowledged to N. Default: 1000, or --jobs with a
        /// command
        #[argh(option, arg_name = "N", from_str_fn(up_to_2000))]
        pub prefetch: Option<u16>,

        /// the same limit in bytes, by the largest body so far: 1000, 64K, 16M. Default: 64M
        #[argh(option, arg_name = "BYTES", default = "64 << 20", from_str_fn(bytes))]
        pub prefetch_bytes: u64,

        /// stop at a larger message, which stays in the queue: 1000, 64K, 16M. Default: 128M
        #[argh(option, arg_name = "BYTES", default = "lane::LARGEST", from_str_fn(size::of_message))]
        pub max_size: u64,

        /// run up to N commands at once. Default: 1
        #[argh(option, short = 'j', arg_name = "N", default = "1", from_str_fn(up_to_2000))]
        pub jobs: u16,

        /// what to do if a command fails; stop also requeues the message, retry:N dead-letters it after
        /// N deliveries, and exit status 75 always requeues it after a pause. Default: stop
        #[argh(
            option,
            arg_name = "stop|requeue|dead-letter|retry:N",
            default = "OnFailure::Stop"
        )]
        pub on_failure: OnFailure,

        /// keep AMQP_URL, RABBITMQ_API_URL and RABBITMQ_ERLANG_COOKIE in the command's environment
        #[argh(switch)]
        pub keep_env: bool,

        /// show progress on a terminal
        #[argh(switch)]
        pub progress: bool,

        /// write the tally to this file, as JSON, or as Prometheus metrics if it is named *.prom
        #[argh(option, arg_name = "FILE")]
        pub stats: Option<String>,

        /// also write it at this interval: 500ms, 30s, 5m
        #[argh(option, arg_name = "DURATION", from_str_fn(length_of_time))]
        pub stats_every: Option<Duration>,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ack {
    /// The message has left the pipe.
    Read,
    /// The message is written.
    Written,
    /// A sender later in the pipeline has reported it.
    Downstream,
}

impl FromStr for Ack {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "read" => Ok(Ack::Read),
            "written" => Ok(Ack::Written),
            "downstream" => Ok(Ack::Downstream),
            _ => Err("expected read, written or downstream".to_owned()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// Put the message back, and stop.
    Stop,
    /// Put it back after a pause.
    Requeue,
    /// Give it to the queue's dead-letter exchange.
    DeadLetter,
    /// Put it back after a pause, and after this number of deliveries give it to the dead-letter
    /// exchange.
    Retry(u64),
}

impl OnFailure {
    /// Whether messages may be rejected, and so dead-lettered.
    pub fn rejects(self) -> bool {
        matches!(self, OnFailure::DeadLetter | OnFailure::Retry(_))
    }

    /// Whether the queue has to count deliveries.
    pub fn counts(self) -> bool {
        matches!(self, OnFailure::Retry(most) if most > 1)
    }
}

impl FromStr for OnFailure {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "stop" => Ok(OnFailure::Stop),
            "requeue" => Ok(OnFailure::Requeue),
            "dead-letter" => Ok(OnFailure::DeadLetter),
            text => match text.strip_prefix("retry:").map(number) {
                Some(Ok(most)) => Ok(OnFailure::Retry(most)),
                Some(Err(_)) => Err("expected a number from 1 after retry:".to_owned()),
                None => Err("expected stop, requeue, dead-letter or retry:N".to_owned()),
            },
        }
    }
}

fn number(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("not a number from 1".to_owned()),
    }
}

fn length_of_time(text: &str) -> Result<Duration, String> {
    duration::parse(text)
}

/// Quorum queues accept no more than 2000 (<https://www.rabbitmq.com/docs/quorum-queues>, consumer
/// prefetch).
fn up_to_2000(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(prefetch) if (1..=2000).contains(&prefetch) => Ok(prefetch),
        _ => Err("not a number from 1 to 2000".to_owned()),
    }
}

/// At least one byte: a limit of 0 would admit nothing.
fn bytes(text: &str) -> Result<u64, String> {
    Ok(size::parse(text)?.max(1))
}
