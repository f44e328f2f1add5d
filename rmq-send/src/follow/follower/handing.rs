//! Hands over what was read, a piece at a time.

use super::{BLOCK, Follower, Over, RESTLESS};
use crate::follow::pieces::{Piece, marks};
use crate::input::cut::Cut;
use crate::input::marks::Mark;
use crate::input::reader::{End, Input};
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

impl Follower {
    pub(super) fn hand_over(
        &mut self,
        index: usize,
        file_number: u64,
        file: &File,
        pieces: Vec<Piece>,
    ) -> Result<(), Over> {
        for piece in pieces {
            match piece {
                Piece::Cuts(cuts, places) => {
                    let name = self.logs[index].name();
                    let first = self.numbering.next();
                    let marks = marks(&places, file_number, name, first).collect();
                    self.send(index, file_number, cuts, marks)?;
                }
                Piece::Long(begins, ends) => {
                    self.long(index, file_number, file, (begins, ends))?;
                }
            }
        }
        Ok(())
    }

    /// Hands over a record that is longer than allowed, a block at a time.
    fn long(
        &mut self,
        index: usize,
        file_number: u64,
        file: &File,
        (begins, ends): (u64, u64),
    ) -> Result<(), Over> {
        let number = self.numbering.next();
        let mut at = begins;
        loop {
            let left = ends - at;
            let mut block = vec![0; usize::try_from(left).unwrap_or(BLOCK).min(BLOCK)];
            // If the file has been truncated meanwhile, the record ends where the file does.
            let length = file.read_at(&mut block, at).unwrap_or(0);
            block.truncate(length);
            let more = length > 0 && (length as u64) < left;
            let is_first = at == begins;
            at = if more { at + length as u64 } else { ends };
            if !more {
                self.end_of_record(&mut block);
            }
            let bytes = block.into();
            let cut = match is_first {
                true => Cut::TooLong { bytes, more },
                false => Cut::Rest { bytes, more },
            };
            let name = Arc::clone(self.logs[index].name());
            let mark = Mark { number, file: file_number, name, begins, ends: at };
            self.send(index, file_number, vec![cut], vec![mark])?;
            if !more {
                return Ok(());
            }
        }
    }

    /// A last record may have no end.
    fn end_of_record(&self, bytes: &mut Vec<u8>) {
        let delimiter = self.tools.framing.0.delimiter();
        if bytes.last() != Some(&delimiter) {
            bytes.push(delimiter);
        }
    }

    fn send(
        &mut self,
        index: usize,
        file: u64,
        mut cuts: Vec<Cut>,
        marks: Vec<Mark>,
    ) -> Result<(), Over> {
        self.tools.register.read(file, marks);
        let (items, goes_on) = self.numbering.items(&self.composers[index], &mut cuts);
        let mut input = Input::Items(items);
        loop {
            match self.sender.send_timeout(input, RESTLESS) {
                Ok(()) if goes_on => return Ok(()),
                Ok(()) => return Err(Over(End::Finished)),
                Err(flume::SendTimeoutError::Timeout(back)) => input = back,
                Err(flume::SendTimeoutError::Disconnected(_)) => {
                    let text = "nothing takes what is read";
                    return Err(Over(End::Failed(Failure::new(Exit::Software, text))));
                }
            }
            self.look_meanwhile()?;
        }
    }
}
