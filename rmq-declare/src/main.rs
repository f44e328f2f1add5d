//! `rmq-declare`: declares queues, and says what differs if they exist.

mod arguments;
mod binding;
mod channels;
mod check;
mod check_csv;
mod columns;
mod corrected;
mod counts;
mod dead_letters;
mod declare;
mod delete;
mod differences;
mod dry_run;
mod exchange;
mod known_arguments;
mod leader;
mod learn;
mod link;
mod performing;
mod permission;
mod plan;
mod queue;
mod queue_arguments;
mod queue_type;
mod refusal;
mod remedy;
mod report;
mod run;
mod shape;
mod sheet;
mod spelling;
mod take_back;
mod target;
mod task;
mod values;
mod warnings;

use std::process::ExitCode;

fn main() -> ExitCode {
    rmq_common::program::run("rmq-declare", &[], &arguments::HELP, |arguments| run::run(&arguments))
}
