//! rmq-perm: virtual hosts, users and permissions of RabbitMQ, and a look around the cluster.

mod administration;
mod apply;
mod arguments;
mod commands;
mod confirmation;
mod distribution;
mod http;
mod names;
mod output;
mod password;
mod password_hash;
mod pattern;
mod queues;
mod reach;
mod refused;
mod session;
mod silence;
mod verbs;
mod way;

use std::process::ExitCode;

fn main() -> ExitCode {
    rmq_common::program::run(arguments::PROGRAM, verbs::ALIASES, &arguments::HELP, commands::run)
}
