//! rmq-perm: virtual hosts, users and permissions of RabbitMQ, and the state of its cluster.

mod administration;
mod apply;
mod arguments;
mod commands;
mod confirmation;
mod distribution;
mod http;
mod names;
mod options;
mod output;
mod password;
mod password_hash;
mod pattern;
mod queues;
mod reach;
mod refusal;
mod session;
mod silence;
mod term;
mod transport;
mod unanswered;
mod verbs;

use arguments::Arguments;
use rmq_common::exit::Ending;
use rmq_common::failure::Failure;
use rmq_common::standard_streams;
use session::Session;
use std::process::ExitCode;

fn main() -> ExitCode {
    rmq_common::program::run(options::PROGRAM, verbs::ALIASES, &arguments::HELP, run)
}

fn run(arguments: Arguments) -> Result<Ending, Failure> {
    let (options, command) = arguments.parts();
    let session = Session::new(options)?;
    if command.writes() {
        standard_streams::output()?;
    }
    command.run(&session)
}
