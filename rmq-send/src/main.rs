//! `rmq-send`: standard input's records become messages the cluster has confirmed.

mod arguments;
mod input;
mod lines;
mod link;
mod outstanding;
mod publisher;
mod ranges;
mod recovery;
mod run;
mod sender;
mod settle;
mod tally;
mod verdict;
mod watch;

fn main() -> std::process::ExitCode {
    rmq_common::program::run(arguments::PROGRAM, &[], run::run)
}
