//! The command line.

use crate::queue::binding::Binding;
use crate::queue::exchange::{self, Exchange};
use crate::queue::queue_type::QueueType;
use crate::values::argument_value::Extra;
use crate::values::option_value::{self, DeliveryLimit};
use argh::{ArgsInfo, FromArgs};
use lapin::types::ShortString;
use rmq_common::argument_bytes;
use rmq_common::failure::Failure;
use rmq_common::help::Help;

/// What `--help` says in addition to the options.
pub const HELP: Help = Help {
    usage: &[
        "[options] QUEUE...",
        "[options] --csv FILE",
        "--check|--delete|--purge [options] QUEUE...",
    ],
    example: "rmq-declare --with-dlq --max-length 100000 jobs",
    groups: &[
        ("What to do", "--check"),
        ("Exchanges", "--exchange"),
        ("Queues", "--type"),
        ("Streams", "--max-age"),
        ("Classic queues", "--max-priority"),
    ],
    common: &[
        "--check",
        "--dry-run",
        "--delete",
        "--csv",
        "--exchange",
        "--bind",
        "--type",
        "--with-dlq",
    ],
    commands: &[],
};

rmq_common::with_connection_options! {
    /// Declare queues: durable, and quorum queues by default. Prints name, messages and consumers of
    /// each, separated by tabs.
    #[derive(FromArgs, ArgsInfo, Debug)]
    #[argh(help_triggers("-h", "--help"))]
    pub struct Arguments {
        /// queues to declare, check, delete or purge; exchanges, with --delete --exchange
        #[argh(positional, arg_name = "QUEUE")]
        pub queues: Vec<String>,

        /// change nothing, and exit 1 if a queue is missing; with options that describe the queue,
        /// compare them too
        #[argh(switch)]
        pub check: bool,

        /// print what would be declared or removed; exit 1 if something to declare does not exist
        #[argh(switch)]
        pub dry_run: bool,

        /// delete the queues, or with --exchange the exchanges
        #[argh(switch)]
        pub delete: bool,

        /// with --delete: delete only if the queue has no messages; classic queues only
        #[argh(switch)]
        pub if_empty: bool,

        /// with --delete: delete only if a classic queue has no consumers, or if nothing is bound
        /// to an exchange
        #[argh(switch)]
        pub if_unused: bool,

        /// remove the messages of the queues, and print how many
        #[argh(switch)]
        pub purge: bool,

        /// read the queues from this file (-: standard input); a header row names columns
        /// (queue, and the options below without their hyphens)
        #[argh(option, arg_name = "FILE")]
        pub csv: Option<String>,

        /// exchange to declare first; NAME:direct, fanout, topic or headers, or a JSON object
        /// (repeatable)
        #[argh(option, arg_name = "NAME:TYPE")]
        pub exchange: Vec<String>,

        /// bind the queue to an exchange; also takes a JSON object (repeatable)
        #[argh(option, arg_name = "EXCHANGE[:KEY]")]
        pub bind: Vec<Binding>,

        /// remove a binding of the queue, written as for --bind (repeatable)
        #[argh(option, arg_name = "EXCHANGE[:KEY]")]
        pub unbind: Vec<Binding>,

        /// bind or unbind this exchange instead of a queue; messages pass from EXCHANGE of --bind to
        /// it (repeatable)
        #[argh(option, arg_name = "EXCHANGE")]
        pub to: Vec<String>,

        /// type of the queue (default: quorum)
        #[argh(option, long = "type", arg_name = "quorum|classic|stream")]
        pub queue_type: Option<QueueType>,

        /// also declare a dead-letter queue QUEUE.dlq; dead letters go there, at least once if the
        /// other arguments allow it
        #[argh(switch)]
        pub with_dlq: bool,

        /// initial members of a quorum queue or stream; odd, at most the number of nodes
        /// (RabbitMQ's default: 3)
        #[argh(option, arg_name = "N", from_str_fn(option_value::at_least_one))]
        pub group_size: Option<i64>,

        /// failed deliveries before a message is dropped or dead-lettered, or "unlimited"
        /// (RabbitMQ's default: 20 from 4.0, none before)
        #[argh(option, arg_name = "N|unlimited")]
        pub delivery_limit: Option<DeliveryLimit>,

        /// maximum number of messages in the queue
        #[argh(option, arg_name = "N", from_str_fn(option_value::number))]
        pub max_length: Option<i64>,

        /// maximum size of all message bodies in the queue, as 500M, 20G
        #[argh(option, arg_name = "SIZE", from_str_fn(option_value::bytes))]
        pub max_bytes: Option<i64>,

        /// what a full queue does; the last is for classic queues only (RabbitMQ's default:
        /// drop-head)
        #[argh(
            option,
            arg_name = "drop-head|reject-publish|reject-publish-dlx",
            from_str_fn(option_value::overflow)
        )]
        pub overflow: Option<String>,

        /// how long a message may wait, as 500ms, 30s, 5m, 2h, 1d
        #[argh(option, arg_name = "DURATION", from_str_fn(option_value::message_ttl))]
        pub message_ttl: Option<i64>,

        /// how long an unused queue stays, as 500ms, 30s, 5m, 2h, 1d
        #[argh(option, arg_name = "DURATION", from_str_fn(option_value::expires))]
        pub expires: Option<i64>,

        /// exchange for messages that expire, are rejected or exceed a limit
        #[argh(option, arg_name = "NAME")]
        pub dead_letter_exchange: Option<String>,

        /// routing key that replaces that of dead letters
        #[argh(option, arg_name = "KEY", from_str_fn(argument_bytes::utf_8))]
        pub dead_letter_key: Option<String>,

        /// whether a dead letter may be lost or duplicated on the way (RabbitMQ's default:
        /// at-most-once)
        #[argh(
            option,
            arg_name = "at-most-once|at-least-once",
            from_str_fn(option_value::dead_letter_strategy)
        )]
        pub dead_letter_strategy: Option<String>,

        /// deliver to one consumer at a time; the others wait
        #[argh(switch)]
        pub single_active_consumer: bool,

        /// where to place the first leader (RabbitMQ's default: client-local)
        #[argh(
            option,
            arg_name = "client-local|balanced|least-leaders|random",
            from_str_fn(option_value::leader_locator)
        )]
        pub leader_locator: Option<String>,

        /// how long a consumer may keep a message, as 5m, 2h (RabbitMQ's default: 30m)
        #[argh(option, arg_name = "DURATION", from_str_fn(option_value::timeout))]
        pub consumer_timeout: Option<i64>,

        /// how long a consumer keeps its messages after contact with its node is lost
        #[argh(option, arg_name = "DURATION", from_str_fn(option_value::timeout))]
        pub consumer_disconnected_timeout: Option<i64>,

        /// which returned messages wait before they are redelivered (RabbitMQ's default:
        /// disabled)
        #[argh(
            option,
            arg_name = "disabled|all|failed|returned",
            from_str_fn(option_value::delayed_retry_type)
        )]
        pub delayed_retry_type: Option<String>,

        /// how long they wait the first time, as 5s, 1m
        #[argh(option, arg_name = "DURATION", from_str_fn(option_value::timeout))]
        pub delayed_retry_min: Option<i64>,

        /// the longest they wait, as 5m, 1h
        #[argh(option, arg_name = "DURATION", from_str_fn(option_value::timeout))]
        pub delayed_retry_max: Option<i64>,

        /// any other argument; the value is JSON, or a bare word (repeatable)
        #[argh(option, arg_name = "KEY=VALUE")]
        pub arg: Vec<Extra>,

        /// how long a stream keeps messages, as 12h, 7d, 6M, 1Y
        #[argh(option, arg_name = "AGE", from_str_fn(option_value::max_age))]
        pub max_age: Option<String>,

        /// size of a stream's files, which are deleted whole (RabbitMQ's default: 500000000)
        #[argh(option, arg_name = "SIZE", from_str_fn(option_value::segment_bytes))]
        pub max_segment_bytes: Option<i64>,

        /// size of a stream's filters, 16-255 (RabbitMQ's default: 16)
        #[argh(option, arg_name = "N", from_str_fn(option_value::filter_bytes))]
        pub filter_bytes: Option<i64>,

        /// number of priorities of a classic queue, 0-255; few are enough
        #[argh(option, arg_name = "N", from_str_fn(option_value::max_priority))]
        pub max_priority: Option<i64>,

        /// whether a classic queue keeps messages on disk; before RabbitMQ 3.12
        #[argh(option, arg_name = "default|lazy", from_str_fn(option_value::queue_mode))]
        pub queue_mode: Option<String>,

        /// how a classic queue is stored (RabbitMQ's default: 2 from 4.0, 1 before)
        #[argh(option, arg_name = "1|2", from_str_fn(option_value::queue_version))]
        pub queue_version: Option<i64>,

        /// node on which to create a classic queue; before RabbitMQ 4.3
        #[argh(
            option,
            arg_name = "client-local|min-masters|random",
            from_str_fn(option_value::master_locator)
        )]
        pub master_locator: Option<String>,

        /// declare a classic queue that does not survive a restart of the broker
        #[argh(switch)]
        pub transient: bool,

        /// declare a classic queue that is deleted with its last consumer
        #[argh(switch)]
        pub auto_delete: bool,

        /// refused: the queue would be deleted with the connection that declared it
        #[argh(switch)]
        pub exclusive: bool,
    }
}

impl Arguments {
    /// The exchanges to declare.
    ///
    /// # Errors
    /// A value that does not describe one (64).
    pub fn exchanges(&self) -> Result<Vec<Exchange>, Failure> {
        self.each_exchange(str::parse)
    }

    /// The exchanges to delete: those of `--exchange`, and the names that follow.
    ///
    /// # Errors
    /// A value that is not a name (64).
    pub fn unwanted_exchanges(&self) -> Result<Vec<ShortString>, Failure> {
        let mut names = self.each_exchange(exchange::name_of_option)?;
        for text in &self.queues {
            let wrong = |why| Failure::usage(format!("exchange {text}: {why}"));
            names.push(exchange::name(text).map_err(wrong)?);
        }
        Ok(names)
    }

    /// The exchanges of `--to`.
    ///
    /// # Errors
    /// A value that is not a name (64).
    pub fn destinations(&self) -> Result<Vec<ShortString>, Failure> {
        let read = |text: &String| {
            exchange::name_of_option(text)
                .map_err(|why| Failure::usage(format!("--to {text}: {why}")))
        };
        self.to.iter().map(read).collect()
    }

    fn each_exchange<T>(
        &self,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Vec<T>, Failure> {
        let read = |text: &String| {
            read(text).map_err(|why| Failure::usage(format!("--exchange {text}: {why}")))
        };
        self.exchange.iter().map(read).collect()
    }
}
