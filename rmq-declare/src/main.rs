//! `rmq-declare`: declares queues, and says what differs if they exist.

mod arguments;
mod channels;
mod check;
mod check_csv;
mod corrected;
mod counts;
mod declare;
mod delete;
mod differences;
mod dry_run;
mod leader;
mod learn;
mod link;
mod performing;
mod permission;
mod plan;
mod queue;
mod refusal;
mod remedy;
mod report;
mod run;
mod take_back;
mod target;
mod task;
mod values;

use std::process::ExitCode;

fn main() -> ExitCode {
    rmq_common::program::run("rmq-declare", &[], &arguments::HELP, |arguments| run::run(&arguments))
}
