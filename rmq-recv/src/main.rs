//! `rmq-recv`: messages become standard output's records, acknowledged once they are out.

mod arguments;
mod command;
mod delivery;
mod downstream;
mod output;
mod peek;
mod queue;
mod receiver;
mod run;
mod settings;
mod sink;
mod stops;

fn main() -> std::process::ExitCode {
    rmq_common::program::run(arguments::PROGRAM, &[], &arguments::HELP, run::run)
}
