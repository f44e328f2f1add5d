//! A network and mounts of the torture's own.

use std::io::Error;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Set once we are in a network and among mounts of our own.
const APART: &str = "RMQ_TORTURE_APART";

/// Runs this program once more, with a network and mounts that nobody else has: nodes are cut off
/// from one another there, and a disk is filled. Nothing is returned to the one that has them; an
/// error if it cannot be run.
///
/// # Panics
/// When it does not know its own path.
pub fn run_apart() -> Option<Error> {
    if std::env::var_os(APART).is_some() {
        return None;
    }
    let own = std::env::current_exe().expect("our own path");
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command.args(["--net", "--mount", "--", "sh", "-c"]);
    command.arg("PATH=$PATH:/usr/sbin:/sbin; ip link set lo up && exec \"$0\"").arg(own);
    let error = command.env(APART, "1").exec();
    Some(Error::new(error.kind(), format!("unshare: {error}")))
}
