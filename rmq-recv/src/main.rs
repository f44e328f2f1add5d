//! `rmq-recv`: messages become standard output's records, acknowledged once they are out.

mod acknowledge;
mod arguments;
mod connected;
mod credit;
mod idle;
mod looks;
mod output;
mod reader;
mod receiver;
mod run;
mod subscription;
mod tally;

fn main() -> std::process::ExitCode {
    rmq_common::program::run(arguments::PROGRAM, &[], run::run)
}
