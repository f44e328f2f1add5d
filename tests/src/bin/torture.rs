//! Tortures the tools on a cluster of three: see `rmq_tests::torture`, and `make torture`.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that cannot have what it stands on has to fail, and its report is its output"
)]

use rmq_tests::torture::options::Options;
use rmq_tests::torture::run;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// Set once we are in a network and among mounts of our own.
const APART: &str = "RMQ_TORTURE_APART";

fn main() -> ExitCode {
    if std::env::var_os(APART).is_none() {
        return set_apart();
    }
    let report = run(Options::from_environment());
    print!("{report}");
    if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs this program once more, with a network and mounts that nobody else has: nodes are cut off
/// from one another there, and a disk is filled.
fn set_apart() -> ExitCode {
    let own = std::env::current_exe().expect("our own path");
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command.args(["--net", "--mount", "--", "sh", "-c"]);
    command.arg("PATH=$PATH:/usr/sbin:/sbin; ip link set lo up && exec \"$0\"").arg(own);
    let error = command.env(APART, "1").exec();
    println!("unshare: {error}");
    ExitCode::FAILURE
}
