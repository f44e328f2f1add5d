//! rmq-send's command line.

use crate::input::framing::Format;
use argh::{ArgsInfo, FromArgs};
use rmq_common::argument_bytes::Bytes;
use rmq_common::help::Help;
use rmq_common::with_connection_options;
use rmq_common::{duration, size};
use std::time::Duration;

/// The tool's name.
pub const PROGRAM: &str = "rmq-send";

/// What `--help` says besides the options.
pub const HELP: Help = Help {
    usage: &[
        "[options] QUEUE [FILE...]",
        "[options] -e EXCHANGE [-r KEY] [FILE...]",
        "[options] --routed [FILE...]",
    ],
    example: "rmq-send --follow --positions app.positions logs app.log",
    groups: &[
        ("Destination", "--exchange"),
        ("Records", "--format"),
        ("Properties", "--header"),
        ("Delivery", "--window"),
        ("This run", "--progress"),
    ],
    common: &[
        "--exchange",
        "--routing-key",
        "--format",
        "--follow",
        "--positions",
        "--body",
        "--header",
        "--rejects",
        "--spool",
    ],
    commands: &[],
};

with_connection_options! {
    /// Send each record of standard input, or of files, as a message the cluster has confirmed.
    #[derive(FromArgs, ArgsInfo, Clone, Debug)]
    #[argh(help_triggers("-h", "--help"))]
    pub struct Arguments {
        /// queue to send to through the default exchange (not with -e or --routed), then files to
        /// read instead of standard input, which is -
        #[argh(positional, arg_name = "QUEUE FILE")]
        pub operands: Vec<String>,

        /// send to this exchange
        #[argh(option, short = 'e', arg_name = "NAME")]
        pub exchange: Option<String>,

        /// routing key for --exchange. Default: the record's, or empty
        #[argh(option, short = 'r', arg_name = "KEY")]
        pub routing_key: Option<Bytes>,

        /// each record names its destination (requires --format json or -K)
        #[argh(switch)]
        pub routed: bool,

        /// record format; length is 4 bytes, big-endian, json is an envelope per line. Default: lines
        #[argh(option, arg_name = "lines|nul|length|whole|json")]
        pub format: Option<Format>,

        /// records end with a zero byte (same as --format nul)
        #[argh(switch, short = '0')]
        pub nul: bool,

        /// each record is a routing key, SEP and the body
        #[argh(option, short = 'K', arg_name = "SEP")]
        pub key_separator: Option<Bytes>,

        /// send this text; standard input is not read
        #[argh(option, short = 'b', arg_name = "TEXT")]
        pub body: Option<Bytes>,

        /// follow the files as they grow and through rotation
        #[argh(switch, short = 'F')]
        pub follow: bool,

        /// keep in this file how far each file is confirmed, and continue from there
        #[argh(option, arg_name = "FILE")]
        pub positions: Option<String>,

        /// where to begin in a file that has no position yet. Default: start
        #[argh(option, arg_name = "start|end", from_str_fn(from))]
        pub from: Option<From>,

        /// header that names the file a record was read from
        #[argh(option, arg_name = "NAME")]
        pub source_header: Option<String>,

        /// largest record: 1000, 64K, 16M; a longer one is an error. Default: 16M, RabbitMQ 4's
        /// limit
        #[argh(option, arg_name = "BYTES", default = "16 << 20", from_str_fn(max_size))]
        pub max_size: usize,

        /// header, as name=value or name:type=value (string, int, bool, float, bytes, timestamp,
        /// json) (repeatable)
        #[argh(option, short = 'H', arg_name = "HEADER")]
        pub header: Vec<Bytes>,

        /// property: MIME type of the body
        #[argh(option, arg_name = "TYPE")]
        pub content_type: Option<Bytes>,

        /// property: MIME encoding of the body
        #[argh(option, arg_name = "ENCODING")]
        pub content_encoding: Option<Bytes>,

        /// property: kind of message, as the application names it
        #[argh(option, long = "type", arg_name = "TYPE")]
        pub message_type: Option<Bytes>,

        /// property: sending application
        #[argh(option, arg_name = "ID")]
        pub app_id: Option<Bytes>,

        /// property: id of the request or group that the message belongs to
        #[argh(option, arg_name = "ID")]
        pub correlation_id: Option<Bytes>,

        /// property: queue for answers
        #[argh(option, arg_name = "QUEUE")]
        pub reply_to: Option<String>,

        /// property: priority, 0 to 255
        #[argh(option, arg_name = "N", from_str_fn(priority))]
        pub priority: Option<u8>,

        /// property: time a queue keeps the message: 500ms, 60s, 5m
        #[argh(option, arg_name = "TIME")]
        pub expiration: Option<String>,

        /// property: message id; auto makes one per message, which identifies duplicates
        #[argh(option, arg_name = "auto|ID")]
        pub message_id: Option<Bytes>,

        /// property: time the record was read
        #[argh(switch)]
        pub timestamp: bool,

        /// property: transient, so classic queues need not keep it on disk. Default: persistent
        #[argh(switch)]
        pub transient: bool,

        /// most unconfirmed messages; 1 keeps the order even after nacks. Default: 1024
        #[argh(option, arg_name = "N", default = "1024", from_str_fn(window))]
        pub window: usize,

        /// count messages that no queue takes as sent
        #[argh(switch)]
        pub allow_unroutable: bool,

        /// append records that cannot be sent, and continue
        #[argh(option, arg_name = "FILE")]
        pub rejects: Option<String>,

        /// write each confirmed record to standard output
        #[argh(switch)]
        pub tee: bool,

        /// report confirmed records to rmq-recv --ack-from through this FIFO
        #[argh(option, arg_name = "FIFO")]
        pub ack_to: Option<String>,

        /// keep records in this directory until they are confirmed, so the input does not wait for
        /// the broker
        #[argh(option, arg_name = "DIR")]
        pub spool: Option<String>,

        /// largest size of --spool: 500M, 2G. Default: 1G
        #[argh(option, arg_name = "BYTES", from_str_fn(size::parse))]
        pub spool_max: Option<u64>,

        /// wait or fail if --spool is full. Default: wait
        #[argh(option, arg_name = "wait|fail", from_str_fn(spool_full))]
        pub spool_full: Option<SpoolFull>,

        /// show progress on a terminal
        #[argh(switch)]
        pub progress: bool,

        /// write the tally to this file, as JSON, or as Prometheus metrics if it is named *.prom
        #[argh(option, arg_name = "FILE")]
        pub stats: Option<String>,

        /// also write it at this interval: 500ms, 30s, 5m
        #[argh(option, arg_name = "DURATION", from_str_fn(duration::parse))]
        pub stats_every: Option<Duration>,

        /// write the messages to standard output as JSON envelopes instead of sending them
        #[argh(switch)]
        pub dry_run: bool,
    }
}

impl Arguments {
    /// Whether files are followed, or read from where they were left.
    pub fn follows(&self) -> bool {
        self.follow || self.positions.is_some()
    }
}

/// What to do when the spool is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpoolFull {
    /// Stop reading until there is room.
    Wait,
    /// End.
    Fail,
}

/// Where to begin in a file without a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum From {
    /// At its first record.
    #[default]
    Start,
    /// At the first record that is not whole yet.
    End,
}

fn from(text: &str) -> Result<From, String> {
    match text {
        "start" => Ok(From::Start),
        "end" => Ok(From::End),
        _ => Err("neither start nor end".to_owned()),
    }
}

fn priority(text: &str) -> Result<u8, String> {
    text.parse().map_err(|_| "not a number from 0 to 255".to_owned())
}

fn window(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(window) if (1..=65_535).contains(&window) => Ok(window),
        _ => Err("not a number from 1 to 65535".to_owned()),
    }
}

fn max_size(text: &str) -> Result<usize, String> {
    usize::try_from(size::of_message(text)?).map_err(|error| error.to_string())
}

fn spool_full(text: &str) -> Result<SpoolFull, String> {
    match text {
        "wait" => Ok(SpoolFull::Wait),
        "fail" => Ok(SpoolFull::Fail),
        _ => Err("neither wait nor fail".to_owned()),
    }
}
