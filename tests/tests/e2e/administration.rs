//! rmq-perm through both of its ways, Erlang distribution and the management HTTP API: the same
//! subcommands, output, exit statuses and sentences.

mod certificates;
mod faults;
mod hostile;
mod imports;
mod late_lists;
mod load;
mod looking;
mod refused;
mod table;
mod ticks;
mod topology;
