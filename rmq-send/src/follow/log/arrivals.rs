//! Files that came and went since the last look, and those that were truncated.

use super::Log;
use crate::follow::identity::Identity;
use crate::follow::scan::{self, Moved, Sibling};
use crate::follow::tools::Tools;
use rmq_common::count::counted;
use rmq_common::failure::Cause;
use std::fs::File;
use std::io;
use std::sync::Arc;

/// What a look found.
#[derive(Default)]
pub(super) struct Arrivals {
    /// Files that came and went meanwhile, oldest first, and from where on they are to be read.
    between: Vec<(Sibling, io::Result<(File, u64)>)>,
    /// Those of them that are compressed by now.
    packed: Vec<Sibling>,
    /// All files beside the followed one, if they were listed.
    there: Option<Vec<Identity>>,
}

/// A copy, which it is, and when it was changed last.
type Copied = (Arc<File>, Identity, i64);

impl Log {
    /// Files that came and went since `last`, the time of the last change of the last one that is
    /// known, and before the file `current`.
    pub(super) fn arrivals(
        &self,
        last: Option<i64>,
        current: Identity,
        tools: &Tools,
    ) -> Result<Arrivals, Moved> {
        let mut arrivals = Arrivals::default();
        let Some(last) = last else { return Ok(arrivals) };
        let siblings = scan::siblings(&self.real_path())?;
        arrivals.there = Some(siblings.iter().map(|sibling| sibling.identity).collect());
        for sibling in siblings {
            if sibling.is_compressed {
                // What was compressed keeps its time, and is read already by its open file.
                let was_read = self.generations.iter().any(|one| sibling.is_packed(one.size()));
                if sibling.modified > last && !was_read {
                    arrivals.packed.push(sibling);
                }
            } else if sibling.modified >= last
                && sibling.identity != current
                && !self.is_open(sibling.identity)
            {
                let file = match scan::open_same(&sibling) {
                    Ok(opened) => Ok(opened?),
                    Err(error) => Err(error),
                };
                let begins = |file| {
                    let offset = self.read_before(sibling.identity, &file, tools);
                    (file, offset)
                };
                let file = file.map(begins);
                if !file.as_ref().is_ok_and(|(_, offset)| *offset > 0 && *offset == sibling.size) {
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
            let added = opened.and_then(|(file, offset)| self.add(file, offset, false, tools));
            if let Err(error) = added {
                let shown = sibling.path.display();
                tools.gap(format!("read {shown}: {}; it is not sent", Cause(&error)));
            }
        }
        if let Some(there) = arrivals.there {
            tools.register.forget(&self.key(), &there);
        }
    }

    /// Whether it is read now.
    fn is_open(&self, identity: Identity) -> bool {
        self.generations.iter().any(|one| one.identity() == identity)
    }

    /// Up to where the file of that identity was read before: to its end of then, or not at all, if
    /// it has only got the inode of one that was.
    pub(super) fn read_before(&self, identity: Identity, file: &File, tools: &Tools) -> u64 {
        let done = tools.register.done(&self.key(), identity).into_iter();
        done.filter(|entry| entry.is_in(file)).map(|entry| entry.offset).max().unwrap_or(0)
    }

    /// The file of this generation no longer holds what was read of it.
    pub(super) fn truncated(&mut self, index: usize, tools: &mut Tools) -> Result<(), Moved> {
        let copy = self.copy(index, tools)?;
        let generation = &self.generations[index];
        let (number, identity) = (generation.number, generation.identity());
        let truncated = Arc::clone(generation.file());
        let last = copy.as_ref().map_or(generation.changed(), |copy| copy.2);
        let mut arrivals = self.arrivals(Some(last), identity, tools)?;
        match copy {
            Some((file, copied, _)) => {
                arrivals.between.retain(|(sibling, _)| sibling.identity != copied);
                tools.watch.forget(number);
                tools.register.moved(number, Arc::clone(&file), copied);
                self.generations[index].moves(file, copied);
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
        self.arrive(arrivals, tools);
        // Whatever its name is by now, it is read anew.
        let added = truncated.try_clone().and_then(|file| self.add(file, 0, true, tools));
        if let Err(error) = added {
            self.report(&error, tools);
        }
        Ok(())
    }

    /// If a new file was written, copied and truncated before it was looked at, reads its copies.
    pub(super) fn find_emptied(&mut self, tools: &mut Tools) -> Result<(), Moved> {
        let Some(last) = self.generations.back() else { return Ok(()) };
        if !last.may_have_been_emptied() {
            return Ok(());
        }
        let arrivals = self.arrivals(Some(last.changed()), last.identity(), tools)?;
        let mut copies = arrivals.between.iter().filter_map(|(_, file)| file.as_ref().ok());
        if copies.any(|(copy, offset)| *offset == 0 && last.differs_from(copy)) {
            self.truncated(self.generations.len() - 1, tools)?;
        }
        Ok(())
    }

    /// Whether what this generation's file held is read from a copy that was found before the file
    /// was truncated.
    fn is_in_another(&self, index: usize) -> bool {
        let generation = &self.generations[index];
        let others = self.generations.iter().filter(|other| other.number != generation.number);
        others.filter(|other| !other.is_lost()).any(|other| generation.is_copied_to(other.file()))
    }

    /// The copy that rotation may have left of this generation's file, and when it was changed.
    fn copy(&self, index: usize, tools: &Tools) -> Result<Option<Copied>, Moved> {
        let generation = &self.generations[index];
        for sibling in scan::siblings(&self.real_path())? {
            if sibling.is_compressed || self.is_open(sibling.identity) {
                continue;
            }
            let Ok(opened) = scan::open_same(&sibling) else { continue };
            let file = opened?;
            let before = self.read_before(sibling.identity, &file, tools);
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
