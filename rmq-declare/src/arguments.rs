//! The command line.

use crate::argument_value::Extra;
use crate::option_value::{self, DeliveryLimit, QueueType};
use argh::{ArgsInfo, FromArgs};

rmq_common::with_connection_options! {
    /// Make queues be there: durable, and quorum queues unless told otherwise. Prints the name, the
    /// number of messages and the number of consumers of each, separated by tabs.
    #[derive(FromArgs, ArgsInfo, Debug)]
    #[argh(help_triggers("-h", "--help"))]
    pub struct Arguments {
        /// queues to declare
        #[argh(positional, arg_name = "QUEUE")]
        pub queues: Vec<String>,

        /// only look: print "missing" for a queue that is not there and exit 1; with options that
        /// describe the queue, compare them too
        #[argh(switch)]
        pub check: bool,

        /// quorum (default), classic or stream
        #[argh(option, long = "type", arg_name = "TYPE")]
        pub queue_type: Option<QueueType>,

        /// members a quorum queue or stream begins with; odd, at most the number of nodes
        /// (RabbitMQ's default: 3)
        #[argh(option, arg_name = "N", from_str_fn(option_value::at_least_one))]
        pub group_size: Option<i64>,

        /// deliveries that may fail before a message is dropped or dead-lettered, or "unlimited"
        /// (RabbitMQ's default: 20 from 4.0, none before)
        #[argh(option, arg_name = "N")]
        pub delivery_limit: Option<DeliveryLimit>,

        /// most messages the queue holds
        #[argh(option, arg_name = "N", from_str_fn(option_value::number))]
        pub max_length: Option<i64>,

        /// most bytes of message bodies the queue holds
        #[argh(option, arg_name = "N", from_str_fn(option_value::number))]
        pub max_bytes: Option<i64>,

        /// what a full queue does: drop-head or reject-publish (RabbitMQ's default: drop-head)
        #[argh(option, arg_name = "HOW", from_str_fn(option_value::overflow))]
        pub overflow: Option<String>,

        /// how long a message may wait, as 500ms, 30s, 5m, 2h, 1d
        #[argh(option, arg_name = "DURATION", from_str_fn(option_value::message_ttl))]
        pub message_ttl: Option<i64>,

        /// how long an unused queue stays, as 500ms, 30s, 5m, 2h, 1d
        #[argh(option, arg_name = "DURATION", from_str_fn(option_value::expires))]
        pub expires: Option<i64>,

        /// exchange that takes messages which expired, were rejected or exceeded a limit
        #[argh(option, arg_name = "NAME")]
        pub dead_letter_exchange: Option<String>,

        /// routing key for them, in place of their own
        #[argh(option, arg_name = "KEY")]
        pub dead_letter_key: Option<String>,

        /// at-most-once or at-least-once (RabbitMQ's default: at-most-once)
        #[argh(option, arg_name = "HOW", from_str_fn(option_value::dead_letter_strategy))]
        pub dead_letter_strategy: Option<String>,

        /// one consumer at a time, the others waiting
        #[argh(switch)]
        pub single_active_consumer: bool,

        /// where the leader begins: client-local or balanced (RabbitMQ's default: client-local)
        #[argh(option, arg_name = "WHERE", from_str_fn(option_value::leader_locator))]
        pub leader_locator: Option<String>,

        /// any other argument; the value is JSON, or a bare word (repeatable)
        #[argh(option, arg_name = "KEY=VALUE")]
        pub arg: Vec<Extra>,
    }
}
