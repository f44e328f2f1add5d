//! `rmq-recv`: messages become standard output's records, acknowledged once they are out.

mod acknowledge;
mod arguments;
mod change;
mod command;
mod connected;
mod credit;
mod delivery;
mod downstream;
mod due;
mod finish;
mod idle;
mod ledger;
mod looks;
mod output;
mod pace;
mod peek;
mod queue;
mod receiver;
mod reconnect;
mod run;
mod runs;
mod settings;
mod stops;
mod take;
mod tally;

fn main() -> std::process::ExitCode {
    rmq_common::program::run(arguments::PROGRAM, &[], &arguments::HELP, run::run)
}
