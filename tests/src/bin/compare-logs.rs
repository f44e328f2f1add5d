//! Counts the lines of a log that are lost and duplicated by `tail -F | amqp-publish -l` and by
//! `rmq-send --follow --positions`: see `make compare-logs`.

#![allow(clippy::print_stdout, reason = "the table is its output")]

use rmq_tests::apart;
use rmq_tests::torture::comparison::compare;
use rmq_tests::torture::options::Options;
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(error) = apart::run_apart() {
        println!("{error}");
        return ExitCode::FAILURE;
    }
    print!("{}", compare(Options::from_environment().for_a_comparison()));
    ExitCode::SUCCESS
}
