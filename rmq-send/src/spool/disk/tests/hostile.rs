//! A directory that another user has prepared.

use super::*;
use rmq_common::exit::Exit;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::fs::{File, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};

/// Opening it is refused, with the status for files, for this reason.
#[track_caller]
fn refused(directory: &Path, why: &str) {
    let failure = try_open(directory, PLENTY).err().unwrap();
    assert_eq!(failure.exit(), Exit::IoErr, "{failure}");
    assert!(failure.to_string().contains(why), "{failure}, not {why}");
}

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RWXU, 0).unwrap();
}

#[test]
fn a_directory_that_others_can_write_to_or_that_is_theirs_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for mode in [0o770, 0o702, 0o1777] {
        std::fs::set_permissions(directory.path(), Permissions::from_mode(mode)).unwrap();
        refused(directory.path(), &format!("(chmod go-w {})", directory.path().display()));
    }
    assert_eq!(names(directory.path()), [""; 0], "nothing is made in it");
    std::fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    open(directory.path()).leave();
    if rustix::process::geteuid().is_root() {
        chown(directory.path(), Some(65_534), None).unwrap();
        refused(directory.path(), "belongs to user 65534, and this is user 0");
    } else {
        refused(Path::new("/"), "belongs to user 0, and this is user ");
    }
}

#[test]
fn a_file_that_is_a_link_a_fifo_or_a_directory_is_refused_and_what_it_leads_to_is_untouched() {
    let segment = "00000000000000000007-00000000.segment";
    for name in ["cursor", segment] {
        let directory = left_behind(3, 3);
        let (path, victim) = (directory.path().join(name), directory.path().join("victim"));
        std::fs::write(&victim, b"precious").unwrap();
        let _ = std::fs::remove_file(&path);
        symlink(&victim, &path).unwrap();
        refused(directory.path(), &format!("{name}: a symbolic link, which is refused"));
        assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
        std::fs::remove_file(&path).unwrap();
        fifo(&path);
        refused(directory.path(), &format!("{name}: not a regular file"));
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        refused(directory.path(), name);
        std::fs::remove_dir(&path).unwrap();
        std::fs::write(&path, b"").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        refused(directory.path(), &format!("{name}: others can write to it"));
    }
    // The process id is only a help, so it stops nothing.
    let directory = left_behind(3, 3);
    let (pid, victim) = (directory.path().join("pid"), directory.path().join("victim"));
    std::fs::write(&victim, b"precious").unwrap();
    std::fs::remove_file(&pid).unwrap();
    symlink(&victim, &pid).unwrap();
    assert_eq!(open(directory.path()).rest().0, numbered(1..=3));
    assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
}

#[test]
fn files_are_for_their_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    spool.append(&bodies(1..=3));
    for file in files(directory.path()) {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
}

#[test]
fn the_directory_is_locked_whatever_is_removed_from_it() {
    let directory = left_behind(3, 3);
    let first = open(directory.path());
    for file in files(directory.path()) {
        std::fs::remove_file(file).unwrap();
    }
    let failure = try_open(directory.path(), PLENTY).err().unwrap();
    assert_eq!(failure.exit(), Exit::TempFail);
    drop(first);
    open(directory.path());
}

#[test]
fn a_link_to_the_directory_is_followed_where_it_is_ours() {
    let directory = tempfile::tempdir().unwrap();
    let (target, link) = (directory.path().join("target"), directory.path().join("link"));
    std::fs::create_dir(&target).unwrap();
    symlink("target", &link).unwrap();
    for name in [link.clone(), link.join("")] {
        open(&name).leave();
    }
    assert!(target.join("cursor").exists());
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::lchown(&link, Some(65_534), None).unwrap();
        for name in [link.clone(), link.join("")] {
            refused(&name, "a symbolic link of user 65534");
        }
    }
}

#[test]
fn the_head_of_those_that_wait_is_seen_and_gets_the_lock() {
    let directory = tempfile::tempdir().unwrap();
    let [first, second] = [(); 2].map(|()| Directory::open(directory.path()).unwrap());
    assert!(first.try_lock().unwrap());
    assert!(!second.try_lock().unwrap());
    assert!(!first.is_awaited());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| second.wait_for_lock());
        while !first.is_awaited() {
            std::thread::yield_now();
        }
        assert!(!waiting.is_finished());
        first.unlock();
        waiting.join().unwrap().unwrap();
    });
    assert!(!first.try_lock().unwrap());
    assert!(!second.is_awaited());
}

#[test]
fn a_segment_of_absurd_length_takes_no_memory_and_what_is_whole_in_it_comes_out() {
    for last in [true, false] {
        let directory = left_behind(6, 3);
        let segments = segments(directory.path());
        let file = File::options().write(true).open(&segments[usize::from(last)]).unwrap();
        // After the end: a head that claims 4 GiB, a few bytes far away, and a terabyte of nothing.
        let mut head = vec![1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff];
        head.extend(if last { 7u64 } else { 4 }.to_le_bytes());
        std::os::unix::fs::FileExt::write_all_at(&file, &head, 88).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, b"far", 1 << 33).unwrap();
        file.set_len(1 << 40).unwrap();
        let (records, damage, _) = open(directory.path()).rest();
        assert_eq!(records, numbered(1..=6));
        assert_eq!(damage.iter().map(|damage| damage.records).sum::<u64>(), 0, "{damage:?}");
    }
}

#[test]
fn a_large_record_behind_damage_is_found_though_it_is_longer_than_a_block() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    let large = vec![b'x'; 3 << 20];
    spool.append(&[&b"first"[..], &large, b"last"]);
    spool.leave();
    let segment = segments(directory.path()).remove(0);
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let (records, damage, _) = open(directory.path()).rest();
    assert_eq!(records, [(2, large), (3, b"last".to_vec())]);
    assert_eq!(damage.len(), 1);
}
