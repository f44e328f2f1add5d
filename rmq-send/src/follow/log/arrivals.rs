//! Files that came and went since the last listing, and those that were truncated.

use super::{Log, Place, measure};
use crate::follow::fingerprint::Seen;
use crate::follow::generation::Generation;
use crate::follow::identity::{self, Identity};
use crate::follow::scan::{self, Moved, Sibling};
use crate::follow::tools::Tools;
use rmq_common::count::counted;
use rmq_common::failure::Cause;
use std::fs::File;
use std::io;
use std::sync::Arc;

/// The result of a listing.
pub(super) struct Arrivals {
    /// When it started, in nanoseconds since 1970.
    begun: i64,
    /// Files that came and went meanwhile, oldest first, and how much of each is already sent.
    between: Vec<(Sibling, io::Result<(File, Seen)>)>,
    /// Those of them that are compressed by now.
    packed: Vec<Sibling>,
    /// All neighbouring files, if they were listed.
    there: Option<Vec<Identity>>,
}

impl Arrivals {
    /// When the listing started, in nanoseconds since 1970.
    pub(super) fn begun(&self) -> i64 {
        self.begun
    }
}

/// A copy: the file, its identity, and when it was last changed.
type Copied = (Arc<File>, Identity, i64);

impl Log {
    /// Files that came and went since `last`, the last change of a known file, and before
    /// `current`.
    pub(super) fn arrivals(
        &self,
        last: Option<i64>,
        current: Identity,
        tools: &Tools,
    ) -> Result<Arrivals, Moved> {
        let begun = identity::now();
        let mut arrivals = Arrivals { begun, between: Vec::new(), packed: Vec::new(), there: None };
        let Some(last) = last else { return Ok(arrivals) };
        let siblings = self.siblings(tools)?;
        arrivals.there = Some(siblings.iter().map(|sibling| sibling.identity).collect());
        for sibling in siblings {
            if sibling.is_compressed {
                // A compressed file keeps its original's time; its content was read from the open
                // file.
                let was_read = self.generations.iter().any(|one| sibling.is_packed(one.size()));
                if sibling.modified > last && !was_read {
                    arrivals.packed.push(sibling);
                }
            } else if sibling.identity == current {
                // It has been rotated meanwhile, and those after it came later.
                break;
            } else if sibling.modified >= last && !self.is_open(sibling.identity) {
                let file = match scan::open_same(&sibling) {
                    Ok(opened) => Ok(opened?),
                    Err(error) => Err(error),
                };
                let before = |file| {
                    let seen = self.read_before(sibling.identity, &file, tools);
                    (file, seen)
                };
                let file = file.map(before);
                let is_read = |seen: &Seen| seen.offset() > 0 && seen.offset() == sibling.size;
                if !file.as_ref().is_ok_and(|(_, seen)| is_read(seen)) {
                    arrivals.between.push((sibling, file));
                }
            }
        }
        Ok(arrivals)
    }

    pub(super) fn arrive(&mut self, arrivals: Arrivals, tools: &mut Tools) {
        for sibling in arrivals.packed {
            self.missed(&sibling, &[], tools);
        }
        for (sibling, opened) in arrivals.between {
            let added = opened.and_then(|(file, seen)| {
                self.add(file, seen, Place::Rotated, arrivals.begun, tools)
            });
            if let Err(error) = added {
                let shown = sibling.path.display();
                tools.gap(format!("read {shown}: {}; it is not sent", Cause(&error)));
            }
        }
        if let Some(there) = arrivals.there {
            tools.register.forget(&self.key(), &there);
        }
    }

    /// Whether it is being read now.
    fn is_open(&self, identity: Identity) -> bool {
        self.generations.iter().any(|one| one.identity() == identity)
    }

    /// What was read before from the file with this identity: all there was, or nothing if the
    /// inode is reused.
    pub(super) fn read_before(&self, identity: Identity, file: &File, tools: &Tools) -> Seen {
        let done = tools.register.done(&self.key(), identity).into_iter();
        let seen = done.filter_map(|entry| entry.seen(file).ok().flatten());
        seen.max_by_key(Seen::offset).unwrap_or_default()
    }

    /// The neighbouring files. A run that only sends existing content continues without them if
    /// they are renamed all the time or their directory is gone.
    fn siblings(&self, tools: &Tools) -> Result<Vec<Sibling>, Moved> {
        let path = self.real_path();
        match tools.once {
            true => Ok(scan::patiently(|| scan::siblings(&path)).unwrap_or_default()),
            false => scan::siblings(&path),
        }
    }

    /// The file of this generation no longer holds what was read from it.
    pub(super) fn truncated(&mut self, index: usize, tools: &mut Tools) -> Result<(), Moved> {
        let generation = &self.generations[index];
        let (number, identity) = (generation.number, generation.identity());
        let truncated = Arc::clone(generation.file());
        let copy = match self.unread_copy(index, tools) {
            Some(copy) => Some(copy),
            None => self.copy(index, tools)?,
        };
        let Some(index) = self.generations.iter().position(|one| one.number == number) else {
            return Ok(());
        };
        let generation = &self.generations[index];
        let last = copy.as_ref().map_or(generation.known_until(), |copy| copy.2);
        let mut arrivals = self.arrivals(Some(last), identity, tools)?;
        match copy {
            Some((file, copied, _)) => {
                arrivals.between.retain(|(sibling, _)| sibling.identity != copied);
                tools.watch.forget(number);
                tools.register.moved(number, Arc::clone(&file), copied);
                let moved = &mut self.generations[index];
                moved.moves(file, copied);
                // It will never grow.
                measure(moved, tools);
            }
            None => {
                let is_in_another = self.is_in_another(index);
                let lost = self.generations[index].lose();
                tools.watch.forget(number);
                tools.register.lose(number);
                if lost > 0 && !is_in_another {
                    let (name, lost) = (&self.name, counted(lost, "byte"));
                    let text = format!("{name}: truncated before it was read: {lost} not sent");
                    tools.gap(text);
                }
            }
        }
        let begun = arrivals.begun;
        self.arrive(arrivals, tools);
        self.begin_anew(&truncated, begun, tools);
        Ok(())
    }

    /// Reads this file from its beginning, whatever its name is by now.
    fn begin_anew(&mut self, file: &File, known_until: i64, tools: &mut Tools) {
        let added = file
            .try_clone()
            .and_then(|file| self.add(file, Seen::default(), Place::Named, known_until, tools));
        if let Err(error) = added {
            self.report(&error, tools);
        }
    }

    /// Called before anything is read from a new file: it may have been written, copied and
    /// truncated since the neighbouring files were listed. If so, its copies are read first.
    pub fn look_beside(&mut self, tools: &mut Tools) -> Result<(), Moved> {
        let Some(last) = self.generations.back_mut() else { return Ok(()) };
        if !last.may_have_been_emptied() {
            return Ok(());
        }
        let known_until = last.before_look(identity::now());
        let (before, identity) = (last.known_until(), last.identity());
        let mut arrivals = self.arrivals(Some(before), identity, tools)?;
        let Some(last) = self.generations.back_mut() else { return Ok(()) };
        // Copies of its present content are found once it is truncated.
        arrivals.between.retain(|(_, file)| {
            let is_older =
                |(copy, seen): &(File, Seen)| seen.offset() > 0 || !last.begins_with(copy);
            file.as_ref().map_or(true, is_older)
        });
        let (number, file) = (last.number, Arc::clone(last.file()));
        if arrivals.between.iter().all(|(_, file)| file.is_err()) {
            last.settle(known_until);
            tools.register.known_until(number, known_until);
            self.arrive(arrivals, tools);
            return Ok(());
        }
        // The next check, which follows at once, finds and reports what cannot be read.
        arrivals.between.retain(|(_, file)| file.is_ok());
        arrivals.packed.clear();
        self.generations.pop_back();
        self.arrive(arrivals, tools);
        tools.watch.forget(number);
        self.begin_anew(&file, before, tools);
        tools.register.drop(number);
        Ok(())
    }

    /// Whether this generation's content is read from a copy that was found before the truncation.
    fn is_in_another(&self, index: usize) -> bool {
        let generation = &self.generations[index];
        let others = self.generations.iter().filter(|other| other.number != generation.number);
        others.filter(|other| !other.is_lost()).any(|other| generation.is_copied_to(other.file()))
    }

    /// Removes and returns a copy of this generation's file that was found during or right after
    /// copying, and from which nothing has been read. It is not a generation of its own.
    fn unread_copy(&mut self, index: usize, tools: &mut Tools) -> Option<Copied> {
        let truncated = &self.generations[index];
        let is_copy = |other: &Generation| {
            let is_unread = other.seen().offset() == 0 && other.number != truncated.number;
            is_unread && !other.is_lost() && truncated.is_copied_to(other.file())
        };
        let at = self.generations.iter().position(is_copy)?;
        let copy = self.generations.remove(at)?;
        tools.watch.forget(copy.number);
        tools.register.drop(copy.number);
        Some((Arc::clone(copy.file()), copy.identity(), copy.modified()))
    }

    /// The copy that rotation may have left of this generation's file, and its last change.
    fn copy(&self, index: usize, tools: &Tools) -> Result<Option<Copied>, Moved> {
        let generation = &self.generations[index];
        for sibling in self.siblings(tools)? {
            if sibling.is_compressed || self.is_open(sibling.identity) {
                continue;
            }
            let Ok(opened) = scan::open_same(&sibling) else { continue };
            let file = opened?;
            let before = self.read_before(sibling.identity, &file, tools).offset();
            if before > 0 && before == sibling.size {
                continue;
            }
            if generation.is_copied_to(&file) {
                return Ok(Some((Arc::new(file), sibling.identity, sibling.modified)));
            }
        }
        Ok(None)
    }
}
