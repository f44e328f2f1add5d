//! A network and mounts of our own: nodes are cut off from one another there, and a disk is filled.

use crate::tool::Tool;
use std::io::Error;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

/// Set once we are in them.
const APART: &str = "RMQ_TESTS_APART";

/// What `unshare` is to do, before the program.
const SCRIPT: &str = "PATH=$PATH:/usr/sbin:/sbin; ip link set lo up && exec \"$0\" \"$@\"";

fn is_apart() -> bool {
    std::env::var_os(APART).is_some()
}

/// The words for `unshare`, before the program.
fn words<'a>() -> Vec<&'a str> {
    // Without privileges, a user name space allows it.
    let as_root = (!rustix::process::geteuid().is_root()).then_some("--map-root-user");
    ["--net", "--mount"].into_iter().chain(as_root).chain(["--", "sh", "-c", SCRIPT]).collect()
}

/// Runs this program once more, with a network and mounts that nobody else has. Nothing is returned to
/// the one that has them; an error if it cannot be run.
///
/// # Panics
/// When it does not know its own path.
pub fn run_apart() -> Option<Error> {
    if is_apart() {
        return None;
    }
    let own = std::env::current_exe().expect("our own path");
    let mut command = Command::new("unshare");
    let error = command.args(words()).arg(own).env(APART, "1").exec();
    Some(Error::new(error.kind(), format!("unshare: {error}")))
}

/// Runs this program's test called `name` once more, alone, with a network that nobody else has;
/// whether this is that run.
///
/// # Panics
/// When the test fails there.
pub fn test_apart(name: &str) -> bool {
    if is_apart() {
        return true;
    }
    let own = std::env::current_exe().expect("our own path");
    let mut all = words();
    all.extend([own.to_str().expect("UTF-8"), "--exact", "--nocapture", name]);
    let test = Tool::program("unshare").arguments(&all).environment(APART, "1");
    let ended = test.timeout(Duration::from_secs(300)).run().expect(0);
    let passed = String::from_utf8_lossy(&ended.stdout).contains("1 passed");
    assert!(passed, "there is no test {name}");
    false
}
