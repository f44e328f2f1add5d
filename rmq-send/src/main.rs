//! `rmq-send`: standard input's records become messages the cluster has confirmed.

mod acknowledge;
mod aftermath;
mod arguments;
mod broker;
mod claiming;
mod destination;
mod dry_run;
mod exchanges;
mod failing;
mod fate;
mod input;
mod outputs;
mod outstanding;
mod publishing;
mod ranges;
mod record;
mod record_file;
mod recovery;
mod rejections;
mod rejects;
mod replaying;
mod run;
mod sender;
mod set_aside;
mod settle;
mod spool;
mod spooled;
mod spooling;
mod stopping;
mod tally;
mod tee;
mod verdict;

fn main() -> std::process::ExitCode {
    rmq_common::program::run(arguments::PROGRAM, &[], &arguments::HELP, run::run)
}
