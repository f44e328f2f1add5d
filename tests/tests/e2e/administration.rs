//! rmq-perm through both of its ways, Erlang distribution and the management HTTP API: the same
//! subcommands, output, exit statuses and sentences.

mod certificates;
mod columns;
mod connections;
mod default_queue_types;
mod dry_runs;
mod dump;
mod faults;
mod hostile;
mod imports;
mod late_lists;
mod lesser_users;
mod limits;
mod load;
mod looking;
mod partitions;
mod refused;
mod table;
mod ticks;
mod topology;
mod twice_at_once;
mod unsendable;
mod waiting;

use rmq_tests::tool::Ended;

/// What a tool wrote to standard output.
fn output(ended: &Ended) -> String {
    String::from_utf8(ended.stdout.clone()).unwrap()
}
