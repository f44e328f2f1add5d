//! Tortures the tools on a cluster of three: see `rmq_tests::torture`, and `make torture`.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that cannot have what it stands on has to fail, and its report is its output"
)]

use rmq_tests::apart;
use rmq_tests::torture::options::Options;
use rmq_tests::torture::run;
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(error) = apart::run_apart() {
        println!("{error}");
        return ExitCode::FAILURE;
    }
    let report = run(Options::from_environment());
    print!("{report}");
    if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
