//! `make install`.

use rmq_tests::tool::{Tool, binary};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// `make` in the sources, with busybox instead of all other programs and without cargo.
fn make(directory: &Path, words: &[&str]) -> Tool {
    let programs = directory.join("programs");
    if !programs.is_dir() {
        fs::create_dir(&programs).unwrap();
        let list = Tool::program("busybox").arguments(&["--list"]).run().expect(0).stdout;
        for applet in String::from_utf8(list).unwrap().lines() {
            symlink("/bin/busybox", programs.join(applet)).unwrap();
        }
    }
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built = binary("rmq-send").parent().unwrap().to_str().unwrap().to_owned();
    let fixed = [
        "sh",
        "-c",
        "umask 077; exec /usr/bin/make \"$@\"",
        "make",
        "-C",
        sources.to_str().unwrap(),
        "SHELL=/bin/busybox sh",
        "PROFILE=dev",
        &format!("BUILT={built}"),
    ];
    Tool::program("/bin/busybox")
        .arguments(&[&fixed, words].concat())
        .environment("PATH", programs.to_str().unwrap())
}

/// Every file below, with its mode.
fn files(directory: &Path) -> Vec<(PathBuf, u32)> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => {
                vec![(path.clone(), fs::metadata(&path).unwrap().permissions().mode() & 0o777)]
            }
        })
        .collect()
}

#[test]
fn installing_needs_neither_cargo_nor_gnu_programs_and_takes_blanks_and_any_umask() {
    let directory = tempfile::tempdir().unwrap();
    let prefix = directory.path().join("a place/with blanks");
    let prefix_is = format!("PREFIX={}", prefix.display());
    make(directory.path(), &["install", &prefix_is]).run().expect(0);
    let installed = files(&prefix);
    let mode = |file: &str| {
        installed.iter().find(|(path, _)| *path == prefix.join(file)).map(|(_, mode)| *mode)
    };
    for tool in ["rmq-declare", "rmq-perm", "rmq-recv", "rmq-send"] {
        for (file, wanted) in [
            (format!("bin/{tool}"), 0o755),
            (format!("share/man/man1/{tool}.1"), 0o644),
            (format!("share/bash-completion/completions/{tool}"), 0o644),
            (format!("share/fish/vendor_completions.d/{tool}.fish"), 0o644),
            (format!("share/zsh/site-functions/_{tool}"), 0o644),
        ] {
            assert_eq!(mode(&file), Some(wanted), "{file}");
        }
        let told = Tool::program(prefix.join("bin").join(tool)).arguments(&["--version"]).run();
        assert!(told.expect(0).stdout.starts_with(tool.as_bytes()));
    }
    assert_eq!(mode("share/man/man7/rmq.7"), Some(0o644));
    assert_eq!(mode("share/doc/rmq/examples/cron-drain"), Some(0o755));
    assert_eq!(mode("share/doc/rmq/examples/crontab"), Some(0o644));
    make(directory.path(), &["uninstall", &prefix_is]).run().expect(0);
    assert_eq!(files(&prefix), []);
}

#[test]
fn an_archive_holds_static_tools_and_none_that_need_a_newer_glibc_than_it_says() {
    let directory = tempfile::tempdir().unwrap();
    let tree = directory.path().join("tree");
    for part in ["bin", "share/doc/rmq"] {
        fs::create_dir_all(tree.join(part)).unwrap();
    }
    let tool = tree.join("bin/rmq-send");
    let package = |target: &str| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/package");
        let words = ["tar", tree.to_str().unwrap(), target];
        Tool::program(script)
            .arguments(&words)
            .environment("RMQ_DIST", directory.path().to_str().unwrap())
            .run()
    };
    let machine = rustix::system::uname().machine().to_str().unwrap().to_owned();
    let build = format!(
        "echo 'void _start(void) {{}}' | cc -x c - -static -nostdlib -o '{}'",
        tool.display()
    );
    Tool::shell(directory.path(), &build).run().expect(0);
    package(&format!("{machine}-unknown-linux-musl")).expect(0);
    let archive = directory
        .path()
        .join(format!("rmq-{}-{machine}-linux-musl.tar.xz", env!("CARGO_PKG_VERSION")));
    assert!(archive.exists());
    fs::copy(binary("rmq-send"), &tool).unwrap();
    let refused = package(&format!("{machine}-unknown-linux-gnu.2.17")).expect(70);
    refused.says("rmq-send needs glibc 2.");
}

#[test]
fn without_cargo_and_without_what_it_has_built_installing_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let prefix = format!("PREFIX={}", directory.path().join("there").display());
    let nothing = directory.path().to_str().unwrap();
    let failed = make(directory.path(), &["install", &prefix, &format!("BUILT={nothing}")]).run();
    assert_eq!(failed.status.code(), Some(2));
    assert!(failed.stderr.contains("run make first, as a user who has cargo"), "{}", failed.stderr);
    assert!(!directory.path().join("there").exists());
}
