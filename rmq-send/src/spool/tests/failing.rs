//! What cannot be written or read.

use super::*;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;

#[test]
fn after_a_failed_sync_nothing_goes_in_and_all_that_is_in_comes_out() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    spool.append(&bodies(1..=3));
    let problem = std::io::Error::from_raw_os_error(5);
    spool.writer.shared.fail(Failure::io("sync spool", &problem));
    let failure = spool.writer.append(&[body(4)]).unwrap_err();
    assert_eq!(failure.to_string(), "sync spool: Input/output error");
    assert_eq!(failure.exit(), Exit::IoErr);
    assert_eq!(spool.writer.wait_for_room(None).unwrap_err(), failure);
    assert_eq!(spool.done.failure(), Some(failure.clone()));
    let (records, _, done) = spool.rest();
    assert_eq!(records, numbered(1..=3));
    done.done(2);
    assert_eq!(done.kept(), 1);
    assert_eq!(done.close().unwrap_err(), failure);
}

#[test]
fn a_directory_that_vanishes_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    let segment = {
        std::fs::remove_dir_all(directory.path()).unwrap();
        spool.writer.append(&[body(1)]).unwrap_err().to_string()
    };
    assert!(
        segment.starts_with(&format!("spool {}/0000", directory.path().display())),
        "{segment}"
    );
    assert!(segment.ends_with(".segment: No such file or directory"), "{segment}");
}
