//! `rmq-declare`: declares queues, and says what differs if they exist.

mod arguments;
mod broker;
mod plan;
mod queue;
mod refusal;
mod report;
mod run;
mod values;

use std::process::ExitCode;

fn main() -> ExitCode {
    rmq_common::program::run("rmq-declare", &[], &arguments::HELP, |arguments| run::run(&arguments))
}
