use super::*;
use crate::follow::fingerprint::Fingerprint;
use crate::follow::identity::Identity;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A directory as far as the core sees it. A file's content is the bytes of one history, so that
/// what fits is known exactly.
#[derive(Clone, Debug, Default)]
struct Model {
    /// By name; `app.log` and its siblings.
    files: BTreeMap<String, File>,
    clock: i64,
    inodes: u64,
    /// Lines that were written and can still be read, in order.
    written: Vec<u32>,
    entries: Vec<Entry>,
    /// What an entry's file held up to its offset.
    held: Vec<Vec<u32>>,
    read: Vec<u32>,
    /// Whether lost lines were reported, or were in a file that was removed.
    lost: bool,
}

#[derive(Clone, Debug)]
struct File {
    inode: u64,
    modified: i64,
    lines: Vec<u32>,
    is_compressed: bool,
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Write,
    /// Rename, and a new file.
    Rotate,
    /// Copy the file, then truncate it.
    CopyTruncate,
    Compress,
    RemoveOldest,
    /// A run reads this many lines of each file, or all.
    Run(u8),
}

const NAME: &str = "app.log";

impl Model {
    fn file(&mut self, lines: Vec<u32>) -> File {
        self.inodes += 1;
        self.clock += 1;
        File { inode: self.inodes, modified: self.clock, lines, is_compressed: false }
    }

    fn shift(&mut self) {
        let rotated: Vec<_> = self.files.keys().filter(|name| *name != NAME).cloned().collect();
        let number = |name: &str| name["app.log.".len()..].trim_end_matches(".gz").parse::<u32>();
        let mut moved = Vec::new();
        for name in rotated {
            let next = number(&name).unwrap() + 1;
            let end = if name.ends_with(".gz") { ".gz" } else { "" };
            if let Some(file) = self.files.remove(&name) {
                moved.push((format!("app.log.{next}{end}"), file));
            }
        }
        self.files.extend(moved);
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Write => {
                let line = self.written.len() as u32;
                self.written.push(line);
                self.clock += 1;
                let clock = self.clock;
                if !self.files.contains_key(NAME) {
                    let file = self.file(Vec::new());
                    self.files.insert(NAME.to_owned(), file);
                }
                let file = self.files.get_mut(NAME).unwrap();
                file.lines.push(line);
                file.modified = clock;
            }
            Event::Rotate => {
                self.shift();
                if let Some(file) = self.files.remove(NAME) {
                    self.files.insert("app.log.1".to_owned(), file);
                }
                let file = self.file(Vec::new());
                self.files.insert(NAME.to_owned(), file);
            }
            Event::CopyTruncate => {
                let Some(lines) = self.files.get(NAME).map(|file| file.lines.clone()) else {
                    return;
                };
                self.shift();
                let copy = self.file(lines);
                self.files.insert("app.log.1".to_owned(), copy);
                self.clock += 1;
                let file = self.files.get_mut(NAME).unwrap();
                file.lines.clear();
                file.modified = self.clock;
            }
            Event::Compress => {
                if let Some(file) = self.files.remove("app.log.2") {
                    let packed = self.file(file.lines.clone());
                    let modified = file.modified;
                    let packed = File { modified, is_compressed: true, ..packed };
                    self.files.insert("app.log.2.gz".to_owned(), packed);
                }
            }
            Event::RemoveOldest => {
                let oldest = self.files.keys().filter(|name| *name != NAME).max().cloned();
                let removed = oldest.and_then(|name| self.files.remove(&name));
                // No run knows about a file that none has seen.
                let read = &self.read;
                let is_unread = |file: File| file.lines.iter().any(|line| !read.contains(line));
                self.lost |= removed.is_some_and(is_unread);
            }
            Event::Run(most) => self.run(usize::from(most)),
        }
    }

    fn sibling(name: &str, file: &File) -> Sibling {
        Sibling {
            path: PathBuf::from(name),
            identity: Identity { device: 1, inode: file.inode },
            modified: file.modified,
            size: file.lines.len() as u64,
            is_compressed: file.is_compressed,
        }
    }

    /// As a run does: reads at most `most` lines of each file, in order, up to the first it leaves
    /// unfinished.
    fn run(&mut self, most: usize) {
        let current = self.files.get(NAME).map(|file| Self::sibling(NAME, file));
        let others = self.files.iter().filter(|(name, _)| *name != NAME);
        let mut siblings: Vec<_> = others.map(|(name, file)| Self::sibling(name, file)).collect();
        siblings.sort_by_key(|sibling| sibling.modified);
        let entries = std::mem::take(&mut self.entries);
        let held = std::mem::take(&mut self.held);
        let facts = Facts { entries: &entries, current: current.as_ref(), siblings: &siblings };
        let fits = |entry: &Entry, file: &Sibling| {
            let index = entries.iter().position(|other| other == entry).unwrap();
            let file = &self.files[file.path.to_str().unwrap()];
            file.lines.starts_with(&held[index])
        };
        let steps = facts.steps(fits);
        let mut goes_on = true;
        for step in &steps {
            let (place, offset) = match step {
                Step::Continue(index, place) => (*place, held[*index].len()),
                Step::Begin(place) => (*place, 0),
                Step::Keep(index, place) => (*place, held[*index].len()),
                Step::Gone(_) | Step::Missed(_) => {
                    self.lost = true;
                    continue;
                }
            };
            let file = facts.at(place).unwrap();
            let lines = &self.files[file.path.to_str().unwrap()].lines;
            let all = &lines[offset..];
            let taken = if goes_on { all.len().min(most) } else { 0 };
            self.read.extend(&all[..taken]);
            goes_on &= taken == all.len();
            let end = offset + taken;
            let is_done = place != Place::Current && end == lines.len();
            self.held.push(lines[..end].to_vec());
            self.entries.push(Entry {
                path: NAME.to_owned(),
                identity: file.identity,
                offset: end as u64,
                fingerprint: Fingerprint::default(),
                size: file.size,
                modified: file.modified,
                is_done,
            });
        }
    }
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => Just(Event::Write),
        2 => Just(Event::Rotate),
        2 => Just(Event::CopyTruncate),
        1 => Just(Event::Compress),
        1 => Just(Event::RemoveOldest),
        2 => (0u8..4).prop_map(Event::Run),
        1 => Just(Event::Run(u8::MAX)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// Whatever happens between runs that are cut short anywhere, all that can be read is read once
    /// and in order, and the rest is reported.
    #[test]
    fn every_line_is_read_in_order_or_reported(events in prop::collection::vec(event(), 0..40)) {
        let mut model = Model::default();
        // The first run finds the file, so that there is a position.
        model.apply(Event::Write);
        model.apply(Event::Run(1));
        for event in events {
            model.apply(event);
        }
        model.apply(Event::Run(u8::MAX));
        prop_assert!(model.read.is_sorted(), "{:?}", model.read);
        let mut once = model.read.clone();
        once.dedup();
        prop_assert_eq!(&once, &model.read, "copies without a cause");
        if !model.lost {
            prop_assert_eq!(model.read, model.written);
        }
    }
}

#[test]
fn a_file_on_a_device_that_was_mounted_anew_is_gone_on_with() {
    let entry = Entry {
        path: NAME.to_owned(),
        identity: Identity { device: 1, inode: 5 },
        offset: 3,
        fingerprint: Fingerprint::default(),
        size: 3,
        modified: 1,
        is_done: false,
    };
    let sibling = |device, inode| Sibling {
        path: PathBuf::from(NAME),
        identity: Identity { device, inode },
        modified: 2,
        size: 6,
        is_compressed: false,
    };
    let steps = |current: &Sibling, fits: bool| {
        let entries = std::slice::from_ref(&entry);
        let facts = Facts { entries, current: Some(current), siblings: &[] };
        facts.steps(|_, _| fits)
    };
    let goes_on = [Step::Continue(0, Place::Current)];
    let begins = [Step::Gone(0), Step::Begin(Place::Current)];
    assert_eq!(steps(&sibling(2, 5), true), goes_on);
    assert_eq!(steps(&sibling(2, 5), false), begins);
    assert_eq!(steps(&sibling(2, 6), true), begins);
}
