//! `rmq-send`: standard input's records become messages the cluster has confirmed.

mod arguments;
mod await_reader;
mod broker;
mod checks;
mod destination;
mod dry_run;
mod follow;
mod input;
mod record;
mod results;
mod run;
mod sender;
mod spool;

fn main() -> std::process::ExitCode {
    rmq_common::program::run(arguments::PROGRAM, &[], &arguments::HELP, run::run)
}
