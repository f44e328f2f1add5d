//! `rmq-declare`: makes queues be there, and says what differs where they already are.

mod argument_value;
mod arguments;
mod check;
mod counts;
mod declare;
mod inequivalent;
mod link;
mod option_value;
mod permission;
mod queue;
mod queue_arguments;
mod refusal;
mod report;
mod run;

use std::process::ExitCode;

fn main() -> ExitCode {
    rmq_common::program::run("rmq-declare", &[], run::run)
}
