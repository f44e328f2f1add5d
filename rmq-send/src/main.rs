//! `rmq-send`: standard input's records become messages the cluster has confirmed.

mod aftermath;
mod arguments;
mod broker;
mod destination;
mod dry_run;
mod exchanges;
mod failing;
mod fate;
mod input;
mod outstanding;
mod publishing;
mod record;
mod recovery;
mod results;
mod run;
mod sender;
mod settle;
mod spool;
mod stopping;

fn main() -> std::process::ExitCode {
    rmq_common::program::run(arguments::PROGRAM, &[], &arguments::HELP, run::run)
}
