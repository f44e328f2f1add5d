//! How files become generations of a followed name.

use super::{Log, Place};
use crate::arguments::From;
use crate::follow::entry::Entry;
use crate::follow::fingerprint::Seen;
use crate::follow::generation::Generation;
use crate::follow::identity::{self, Identity};
use crate::follow::last_record;
use crate::follow::survey::{Action, Survey};
use crate::follow::tools::Tools;
use rmq_common::failure::Failure;
use rmq_common::files;
use std::fs::File;
use std::io;
use std::sync::Arc;

impl Log {
    /// Continues where `entries` say, or starts from the beginning.
    ///
    /// # Errors
    /// A file cannot be read (74).
    pub fn resume(
        &mut self,
        entries: &[Entry],
        from: From,
        tools: &mut Tools,
    ) -> Result<(), Failure> {
        let survey = Survey::take(&self.name, &self.path, &self.real_path(), entries)?;
        let is_away = !files::parent(&self.path).is_dir();
        if let Some(error) = &survey.missing {
            if tools.once && (entries.is_empty() || is_away) {
                return Err(Failure::io(format!("read {}", self.name), error));
            }
            self.report(error, tools);
            self.missing_since = Some(survey.begun);
        }
        let may_return = survey.missing.is_some() && !tools.once;
        if may_return && is_away {
            entries.iter().cloned().for_each(|entry| tools.register.keep_absent(entry));
            return Ok(());
        }
        for action in survey.actions {
            match action {
                Action::Read { file, path, is_current, seen } => {
                    let is_known = |known: &Generation| known.is_file(&file);
                    if self.generations.iter().any(is_known) {
                        continue;
                    }
                    let problem = |error| Failure::io(format!("read {}", path.display()), &error);
                    let is_first = is_current && entries.is_empty();
                    let seen = match from {
                        From::End if is_first => {
                            last_record::seen(&file, tools.framing.0.delimiter())
                        }
                        _ => Ok(seen),
                    };
                    let place = if is_current { Place::Named } else { Place::Rotated };
                    seen.and_then(|seen| self.add(file, seen, place, survey.begun, tools))
                        .map_err(problem)?;
                }
                Action::Keep(entry) => {
                    tools.register.keep(entry);
                }
                Action::Gone(index) if may_return => {
                    tools.register.keep_absent(entries[index].clone());
                }
                Action::Gone(index) => self.gone(&entries[index], &survey.siblings, tools),
                Action::Missed(sibling) => self.missed(&sibling, entries, tools),
            }
        }
        self.watch_names(tools);
        Ok(())
    }

    /// Adds a generation, to be read from where it was `seen`. The neighbouring files that were
    /// changed before `known_until` are known.
    pub(super) fn add(
        &mut self,
        file: File,
        seen: Seen,
        place: Place,
        known_until: i64,
        tools: &mut Tools,
    ) -> io::Result<()> {
        let status = rustix::fs::fstat(&file)?;
        let identity = Identity::of(&status);
        let file = Arc::new(file);
        let entry = Entry {
            path: self.key(),
            identity,
            offset: seen.offset(),
            fingerprint: seen.fingerprint(),
            size: identity::size(&status),
            modified: identity::modified(&status).min(known_until),
            is_done: false,
        };
        let rotated = if place == Place::Rotated { ", rotated," } else { "" };
        let (name, offset) = (&self.name, seen.offset());
        tools.diagnostics.trace(&format!("reading {name}{rotated} from byte {offset}"));
        let number = tools.register.begin(entry, Arc::clone(&file));
        tools.register.seen(number, &seen);
        tools.watch.file(self.index, number, &file);
        let mut generation =
            Generation::new(number, file, identity, seen, known_until, tools.framing);
        if place == Place::Rotated {
            generation.rotated(true);
            generation.settle_rotated();
        }
        generation.resized();
        self.generations.push_back(generation);
        Ok(())
    }

    /// A file exists again, after none of the files of these entries did.
    pub(super) fn returned(&mut self, absent: Vec<(u64, Entry)>, tools: &mut Tools) {
        self.problem = None;
        let (numbers, entries): (Vec<u64>, Vec<Entry>) = absent.into_iter().unzip();
        if let Err(failure) = self.resume(&entries, From::Start, tools) {
            if self.problem.is_none() {
                tools.diagnostics.notice(&format!("{failure}; trying again"));
            }
            self.problem.get_or_insert_default();
            return;
        }
        // Only now, so that a run that is killed meanwhile leaves them for the next one.
        numbers.into_iter().for_each(|number| tools.register.drop(number));
    }
}
