//! A shell as a user of the tools has it: the tools are first in its PATH, as are a test's
//! stand-ins for programs that this machine may not have.

use crate::tool::{Tool, binary};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Where the shells of a directory find the stand-ins.
const PROGRAMS: &str = "bin";

impl Tool {
    /// A shell in `directory` that runs `script` in its own process group, with `pipefail`.
    ///
    /// # Panics
    /// When the tools are not built.
    pub fn shell(directory: &Path, script: &str) -> Self {
        let ours = binary("rmq-send");
        assert!(ours.is_file(), "{} is missing: cargo build --workspace --bins", ours.display());
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
        let programs = directory.join(PROGRAMS);
        let ours = ours.parent().expect("a directory of binaries");
        let others = std::env::var("PATH").unwrap_or_default();
        let path = format!(
            "{}:{}:{}:{others}",
            programs.display(),
            ours.display(),
            examples.canonicalize().expect("the examples").display()
        );
        let mut shell = Self::program("bash").arguments(&["-o", "pipefail", "-c", script]);
        shell.command.current_dir(directory).env("PATH", path);
        shell.own_group()
    }
}

/// Puts a stand-in, a script of the shell, before a program of that name.
///
/// # Panics
/// When it cannot be written.
pub fn stand_in(directory: &Path, name: &str, script: &str) {
    let programs = directory.join(PROGRAMS);
    fs::create_dir_all(&programs).expect("make a directory");
    executable(&programs.join(name), format!("#!/bin/sh\n{script}\n").as_bytes());
}

/// Creates an executable file with this content. Another process writes it: a child of another
/// thread would inherit our descriptor, and a file open for writing cannot be executed (ETXTBSY).
///
/// # Panics
/// When it cannot be written.
pub fn executable(path: &Path, contents: &[u8]) {
    let mut install = Command::new("install")
        .args(["-m", "755", "/dev/stdin"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .expect("run install");
    let mut input = install.stdin.take().expect("its input");
    input.write_all(contents).expect("write to install");
    drop(input);
    assert!(install.wait().expect("wait for install").success(), "install {}", path.display());
}
