use super::*;
use crate::follow::fingerprint::Fingerprint;
use std::io::{Seek, Write};

fn entry(offset: u64) -> Entry {
    Entry {
        path: "/a.log".to_owned(),
        identity: Identity { device: 1, inode: 2 },
        offset,
        fingerprint: Fingerprint::default(),
        size: 0,
        modified: 0,
        is_done: false,
    }
}

fn mark(number: u64, file: u64, begins: u64, ends: u64) -> Mark {
    Mark { number, file, name: Arc::from("a.log"), begins, ends }
}

fn saved(register: &Register) -> Vec<Entry> {
    let (files, others) = register.snapshot().entries();
    register.saved(files.clone());
    files.into_iter().filter_map(|(_, entry)| entry).chain(others).collect()
}

#[test]
fn what_is_confirmed_is_saved_and_what_is_only_read_is_not() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"one\ntwo\nthree\n").unwrap();
    let register = Register::new(vec![], true);
    let number = register.begin(entry(0), Arc::new(file.reopen().unwrap()));
    let marks = vec![mark(1, number, 0, 4), mark(2, number, 4, 8), mark(3, number, 8, 14)];
    register.resize(number, 14, 1);
    register.read(number, marks);
    assert_eq!(saved(&register)[0].offset, 0);
    register.confirm(2);
    let now = &saved(&register)[0];
    assert_eq!((now.offset, now.size, now.is_done), (8, 14, false));
    assert_eq!(register.behind(), 6);
    register.end(number);
    register.confirm(3);
    assert!(saved(&register)[0].is_done);
    assert_eq!(register.behind(), 0);
    let identity = Identity { device: 1, inode: 2 };
    assert_eq!(register.done("/a.log", identity).len(), 1);
    register.forget("/a.log", &[]);
    assert!(saved(&register).is_empty());
}

#[test]
fn a_position_never_moves_into_content_that_was_written_anew() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"one\ntwo\n").unwrap();
    let register = Register::new(vec![], true);
    let number = register.begin(entry(0), Arc::new(file.try_clone().unwrap()));
    register.read(number, vec![mark(1, number, 0, 4), mark(2, number, 4, 8)]);
    register.confirm(1);
    let before = saved(&register);
    file.set_len(0).unwrap();
    file.rewind().unwrap();
    file.write_all(b"another line\n").unwrap();
    register.confirm(2);
    let after = &saved(&register)[0];
    assert_eq!((after.offset, after.fingerprint), (before[0].offset, before[0].fingerprint));
}

#[test]
fn a_file_that_is_gone_is_forgotten_once_it_is_confirmed() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"one\n").unwrap();
    let register = Register::new(vec![entry(9)], true);
    let number = register.begin(entry(0), Arc::new(file));
    register.read(number, vec![mark(1, number, 0, 4)]);
    register.end(number);
    // It has no name, but part of it is not confirmed.
    assert_eq!(saved(&register).len(), 2);
    register.confirm(1);
    assert_eq!(saved(&register), [entry(9)]);
}

#[test]
fn the_time_of_a_file_is_saved_as_of_the_last_look_at_it() {
    let mut file = tempfile::tempfile().unwrap();
    let register = Register::new(vec![], true);
    let number = register.begin(entry(0), Arc::new(file.try_clone().unwrap()));
    // Its content may have changed by now, after a truncation that is not noticed yet.
    file.write_all(b"one\n").unwrap();
    let now = &saved(&register)[0];
    assert_eq!((now.size, now.modified), (0, 0));
    register.resize(number, 4, 7);
    let now = &saved(&register)[0];
    assert_eq!((now.size, now.modified), (4, 7));
}

#[test]
fn a_first_position_is_not_saved_of_content_that_was_written_anew_since_it_was_read() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"heading\none\n").unwrap();
    let register = Register::new(vec![], true);
    let number = register.begin(entry(0), Arc::new(file.try_clone().unwrap()));
    let mut seen = Seen::default();
    seen.extend(b"heading\none\nmore\n");
    register.seen(number, &seen);
    register
        .read(number, vec![mark(1, number, 0, 8), mark(2, number, 8, 12), mark(3, number, 12, 17)]);
    file.set_len(0).unwrap();
    file.rewind().unwrap();
    file.write_all(b"heading\ntwo\nthree\n").unwrap();
    register.confirm(2);
    assert_eq!(saved(&register)[0].offset, 0);
    // All that was read is confirmed, so its content is known, and a copy is recognised by it.
    register.confirm(3);
    let now = &saved(&register)[0];
    assert_eq!((now.offset, now.fingerprint), (17, seen.fingerprint()));
}
