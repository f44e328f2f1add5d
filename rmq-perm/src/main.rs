//! rmq-perm: virtual hosts, users and permissions of RabbitMQ, and a look around the cluster.

mod administration;
mod apply;
mod arguments;
mod commands;
mod confirmation;
mod distribution;
mod names;
mod output;
mod password;
mod password_hash;
mod pattern;
mod refused;
mod session;

use std::process::ExitCode;

fn main() -> ExitCode {
    rmq_common::program::run(
        arguments::PROGRAM,
        arguments::ALIASES,
        &arguments::HELP,
        commands::run,
    )
}
