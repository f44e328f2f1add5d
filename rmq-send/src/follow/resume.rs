//! The core: which files are read, from where and in which order, when a file is followed again.
//!
//! While nothing followed it, it may have been renamed any number of times, copied and truncated,
//! compressed or removed. No I/O is done here: the caller says what the files hold.

use crate::follow::entry::Entry;
use crate::follow::scan::Sibling;

/// Which file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The one that has the name now.
    Current,
    /// A sibling, by its index.
    Sibling(usize),
}

/// What to do about one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Continue in it where the entry with this index says.
    Continue(usize, Place),
    /// The file of this entry was read to its end; its entry is kept as long as the file is there.
    Keep(usize, Place),
    /// The rest of this entry's file is lost.
    Gone(usize),
    /// A whole file that came and went meanwhile, and is compressed by now.
    Missed(usize),
    /// Read it from its beginning.
    Begin(Place),
}

/// The files and entries to decide about.
pub struct Facts<'a> {
    /// What is known about the followed file's generations, oldest first.
    pub entries: &'a [Entry],
    /// The file that has the name now.
    pub current: Option<&'a Sibling>,
    /// Its siblings, by the time of their last change.
    pub siblings: &'a [Sibling],
}

impl<'a> Facts<'a> {
    /// The file at a place.
    pub fn at(&self, place: Place) -> Option<&'a Sibling> {
        match place {
            Place::Current => self.current,
            Place::Sibling(index) => self.siblings.get(index),
        }
    }

    fn places(&self) -> impl Iterator<Item = Place> {
        let siblings = (0..self.siblings.len()).map(Place::Sibling);
        self.current.map(|_| Place::Current).into_iter().chain(siblings)
    }

    /// The steps, in reading order. `fits`: whether the file at a place holds what an entry knows
    /// of its own.
    pub fn steps(&self, fits: impl Fn(&Entry, &Sibling) -> bool) -> Vec<Step> {
        let mut found: Vec<Option<Place>> = vec![None; self.entries.len()];
        let holds = |entry: &Entry, place| {
            self.at(place).is_some_and(|file| !file.is_compressed && fits(entry, file))
        };
        let is_same = |entry: &Entry, place| {
            self.at(place).is_some_and(|file| file.identity == entry.identity)
        };
        // A file from which nothing was read cannot be recognised: it is as new as any younger one.
        let read = || self.entries.iter().enumerate().filter(|(_, entry)| entry.offset > 0);
        for (index, entry) in read() {
            found[index] =
                self.places().find(|place| is_same(entry, *place) && holds(entry, *place));
        }
        // A device may get another number each time it is mounted.
        let is_mounted_anew = |entry: &Entry, place| {
            self.at(place).is_some_and(|file| file.identity.inode == entry.identity.inode)
        };
        for (index, entry) in read() {
            if found[index].is_none() {
                let same = self.places().find(|place| {
                    !found.contains(&Some(*place))
                        && is_mounted_anew(entry, *place)
                        && holds(entry, *place)
                });
                found[index] = same;
            }
        }
        // A file that was empty and still is.
        for (index, entry) in self.entries.iter().enumerate() {
            if entry.is_done && entry.offset == 0 {
                let is_empty = |place: &Place| self.at(*place).is_some_and(|file| file.size == 0);
                let same = self.places().filter(|place| is_same(entry, *place));
                found[index] = same.filter(|place| *place != Place::Current).find(is_empty);
            }
        }
        // Rotation may have left a copy of a truncated file.
        for (index, entry) in read() {
            if found[index].is_none() {
                let copy = self.places().find(|place| {
                    *place != Place::Current
                        && !found.contains(&Some(*place))
                        && holds(entry, *place)
                });
                found[index] = copy;
            }
        }
        let mut steps = Vec::new();
        for (index, entry) in self.entries.iter().enumerate() {
            match found[index] {
                Some(Place::Current) => {}
                Some(place) => {
                    let grown = self.at(place).is_some_and(|file| file.size > entry.offset);
                    steps.push(match entry.is_done && !grown {
                        true => Step::Keep(index, place),
                        false => Step::Continue(index, place),
                    });
                }
                None if entry.is_done => {}
                None if entry.offset == 0 && self.places().any(|place| is_same(entry, place)) => {}
                None => steps.push(Step::Gone(index)),
            }
        }
        if let Some(index) = found.iter().position(|found| *found == Some(Place::Current)) {
            // A file that still holds what was read from it has no successor.
            steps.push(Step::Continue(index, Place::Current));
            return steps;
        }
        self.add_younger(&found, &mut steps);
        if self.current.is_some() {
            steps.push(Step::Begin(Place::Current));
        }
        steps
    }

    /// Adds the unknown files that changed after the last known generation.
    fn add_younger(&self, found: &[Option<Place>], steps: &mut Vec<Step>) {
        let times = self.entries.iter().zip(found).map(|(entry, found)| match found {
            Some(Place::Sibling(index)) => self.siblings[*index].modified,
            Some(Place::Current) | None => entry.modified,
        });
        let unread = self.entries.iter().filter(|entry| entry.offset == 0);
        let Some(last) = unread.map(|entry| entry.modified).min().or_else(|| times.max()) else {
            return;
        };
        for (index, file) in self.siblings.iter().enumerate() {
            let place = Place::Sibling(index);
            if file.modified >= last && !found.contains(&Some(place)) {
                steps.push(match file.is_compressed {
                    true => Step::Missed(index),
                    false => Step::Begin(place),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests;
