//! `--follow` and `--positions` with unusual names, directories or logging programs.

use rmq_tests::brokers;
use rmq_tests::tool::{Tool, binary};
use rmq_tests::vhost::Vhost;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A run over `directory/app.log`, from within the directory.
fn run_in(vhost: &Vhost<'_>, directory: &Path) {
    let script = "cd \"$1\" && exec \"$2\" --positions positions logs app.log";
    let mut shell = Tool::program("sh").environment("AMQP_URL", &vhost.url());
    let tool = binary("rmq-send");
    shell.add(&["-c".as_ref(), script.as_ref(), "-".as_ref(), directory.as_ref(), tool.as_ref()]);
    shell.run().expect(0);
}

#[test]
fn positions_are_found_again_in_a_directory_that_is_not_utf_8() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "logs");
    let above = tempfile::tempdir().unwrap();
    let directory = above.path().join(OsStr::from_bytes(b"l\xf6gs"));
    fs::create_dir(&directory).unwrap();
    let at = |name: &str| directory.join(name);
    fs::write(at("app.log"), "1\n").unwrap();
    run_in(&vhost, &directory);
    fs::write(at("app.log"), "1\n2\n").unwrap();
    fs::rename(at("app.log"), at("app.log.1")).unwrap();
    fs::write(at("app.log"), "3\n").unwrap();
    run_in(&vhost, &directory);
    assert_eq!(vhost.drain("logs"), b"1\n2\n3\n");
}
