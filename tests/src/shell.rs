//! A shell as a user of the tools has it: they are first in its PATH, and so are the stand-ins of a
//! test for programs that this machine may not have.

use crate::tool::{Tool, binary};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Where the shells of a directory find the stand-ins.
const PROGRAMS: &str = "bin";

impl Tool {
    /// A shell in `directory` that runs `script`, in a process group of its own. A pipeline fails
    /// where one of its commands does.
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
    let path = programs.join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("write a script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("make it executable");
}
