//! Records of the input that cannot be sent, with a spool between the input and the broker: one bad
//! line must not stop the writer of the pipe, so such records are set aside.
//!
//! The spool's `rejected` holds envelopes. A record that is only too long becomes one that can be
//! sent as it is, with a larger `--max-size`. One that is not in its format becomes an envelope
//! without a route, which cannot be sent by mistake; and a line that was meant to be an envelope
//! stays as it is.

use crate::input::framing::Format;
use crate::record::compose::Composer;
use crate::record::envelope::envelope;
use crate::record::item::{Message, Raw, Record};
use crate::results::rejects::Rejects;
use crate::spool::disk::Directory;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::envelope::Envelope;
use rmq_common::failure::Failure;
use rmq_common::frame::Frame;
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::sync::Arc;

/// The file that holds a record which is too long for memory until its end has come.
const PASSING: &str = "passing";
/// How much is encoded at a time; whole groups of base64.
const GROUPS: usize = 48 << 10;

/// Where a run with a spool keeps input that it cannot send.
#[derive(Debug)]
pub enum Kept {
    /// In `--rejects`.
    AsTheyStand(Rejects),
    /// In the spool.
    AsEnvelopes(Box<SetAside>),
}

/// The spool's `rejected` file, for what comes from the input.
#[derive(Debug)]
pub struct SetAside {
    directory: Arc<Directory>,
    rejected: Rejects,
    composer: Composer,
    format: Format,
    /// The most bytes kept of one record.
    most: u64,
    diagnostics: Diagnostics,
    passing: Option<Passing>,
}

/// A record that is too long to be held.
#[derive(Debug)]
struct Passing {
    number: u64,
    file: File,
    /// Its bytes are kept as they are, not as base64.
    plain: bool,
    /// Bytes that do not fill a group of base64.
    group: Vec<u8>,
    kept: u64,
    left_out: u64,
}

impl Kept {
    /// Takes what has been read of the record `number`, which cannot be sent.
    pub fn bad(&mut self, number: u64, raw: &Raw) -> Result<(), Failure> {
        match self {
            Kept::AsTheyStand(rejects) => rejects.bad(number, raw),
            Kept::AsEnvelopes(aside) => aside.bad(number, raw),
        }
    }

    /// Takes more of a record that is too long to be held.
    pub fn rest(&mut self, bytes: &[u8], more: bool) -> Result<(), Failure> {
        match self {
            Kept::AsTheyStand(rejects) => rejects.rest(bytes, more),
            Kept::AsEnvelopes(aside) => aside.rest(bytes, more),
        }
    }

    /// The input has ended: the number of a record whose end has not come, and which is not kept.
    pub fn end(&mut self) -> Option<u64> {
        match self {
            Kept::AsTheyStand(rejects) => rejects.end(),
            Kept::AsEnvelopes(aside) => aside.end(),
        }
    }

    /// Makes sure that what is kept is on disk.
    pub fn sync(&mut self) -> Result<(), Failure> {
        self.rejects_mut().sync()
    }

    /// Where it is: `kept in bad`.
    pub fn whereabouts(&self) -> String {
        match self {
            Kept::AsTheyStand(rejects) => rejects.whereabouts(),
            Kept::AsEnvelopes(aside) => aside.rejected.whereabouts(),
        }
    }

    fn rejects_mut(&mut self) -> &mut Rejects {
        match self {
            Kept::AsTheyStand(rejects) => rejects,
            Kept::AsEnvelopes(aside) => &mut aside.rejected,
        }
    }
}

impl SetAside {
    /// For records of `format`, of which at most `most` bytes each are kept.
    pub fn new(
        directory: Arc<Directory>,
        rejected: Rejects,
        composer: Composer,
        format: Format,
        most: u64,
        diagnostics: Diagnostics,
    ) -> Self {
        // Left by a run that was killed: its record was incomplete.
        let _ = directory.remove(PASSING);
        SetAside { directory, rejected, composer, format, most, diagnostics, passing: None }
    }

    fn bad(&mut self, number: u64, raw: &Raw) -> Result<(), Failure> {
        match raw {
            Raw::Whole(raw) if self.format == Format::Json => self.rejected.record(raw),
            Raw::Whole(raw) => {
                let mut line = Vec::new();
                nowhere(raw).encode(&mut line);
                self.rejected.record(&line)
            }
            Raw::Begun { bytes, more } => {
                let begun = self.begin(number, self.content(bytes, *more));
                self.passing = Some(begun.map_err(|error| self.problem(&error))?);
                if *more { Ok(()) } else { self.finish() }
            }
        }
    }

    fn rest(&mut self, bytes: &[u8], more: bool) -> Result<(), Failure> {
        let content = if more { bytes } else { &bytes[..bytes.len() - self.ending(bytes)] };
        let (most, Some(passing)) = (self.most, &mut self.passing) else { return Ok(()) };
        passing.take(content, most).map_err(|error| self.problem(&error))?;
        if more { Ok(()) } else { self.finish() }
    }

    fn end(&mut self) -> Option<u64> {
        let torn = self.passing.take().map(|passing| passing.number);
        if torn.is_some() {
            let _ = self.directory.remove(PASSING);
        }
        torn
    }

    /// The part of a record that begins with these bytes that is content.
    fn content<'a>(&self, bytes: &'a [u8], more: bool) -> &'a [u8] {
        let from = if self.format == Format::Length { bytes.len().min(Frame::HEAD) } else { 0 };
        let to = if more { bytes.len() } else { bytes.len() - self.ending(bytes) };
        bytes.get(from..to).unwrap_or_default()
    }

    /// How many of the last bytes of a record are its delimiter.
    fn ending(&self, bytes: &[u8]) -> usize {
        let has_end = matches!(self.format, Format::Lines | Format::Nul | Format::Json);
        usize::from(has_end).min(bytes.len())
    }

    fn begin(&self, number: u64, content: &[u8]) -> io::Result<Passing> {
        let file = self.directory.write(PASSING)?;
        file.set_len(0)?;
        let plain = self.format == Format::Json;
        let mut passing = Passing { number, file, plain, group: Vec::new(), kept: 0, left_out: 0 };
        if plain {
            passing.take(content, self.most)?;
            return Ok(passing);
        }
        let composed = self.composer.compose(number, Bytes::copy_from_slice(content)).ok();
        let message = composed.and_then(|Record { message, .. }| message);
        let mut head = Vec::new();
        match &message {
            Some(message) => {
                let empty = Message { body: Bytes::new(), ..message.clone() };
                envelope(&empty).encode(&mut head);
            }
            None => nowhere(&[]).encode(&mut head),
        }
        // The body is the last member of an envelope.
        head.truncate(head.len().saturating_sub(br#""body":""}"#.len()));
        head.extend_from_slice(br#""body_base64":""#);
        passing.file.write_all(&head)?;
        passing.take(message.as_ref().map_or(content, |message| &message.body), self.most)?;
        Ok(passing)
    }

    /// Its end has come.
    fn finish(&mut self) -> Result<(), Failure> {
        let Some(mut passing) = self.passing.take() else { return Ok(()) };
        passing.finish().map_err(|error| self.problem(&error))?;
        let Passing { number, kept, left_out, .. } = passing;
        let copied = self.rejected.copy(&mut passing.file);
        let _ = self.directory.remove(PASSING);
        copied?;
        if left_out > 0 {
            let most = "as many as a spool may take (--spool-max)";
            self.diagnostics.notice(&format!(
                "record {number}: its first {kept} bytes are {}, {most}; {left_out} are left out",
                self.rejected.whereabouts()
            ));
        }
        Ok(())
    }

    fn problem(&self, error: &io::Error) -> Failure {
        self.directory.problem(PASSING, error)
    }
}

impl Passing {
    fn take(&mut self, bytes: &[u8], most: u64) -> io::Result<()> {
        let room = usize::try_from(most.saturating_sub(self.kept)).unwrap_or(usize::MAX);
        let (bytes, left_out) = bytes.split_at(room.min(bytes.len()));
        self.kept += bytes.len() as u64;
        self.left_out += left_out.len() as u64;
        if self.plain {
            return self.file.write_all(bytes);
        }
        self.group.extend_from_slice(bytes);
        let whole = self.group.len() - self.group.len() % 3;
        for groups in self.group[..whole].chunks(GROUPS) {
            self.file.write_all(STANDARD.encode(groups).as_bytes())?;
        }
        self.group.drain(..whole);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let mut tail = String::new();
        if !self.plain {
            STANDARD.encode_string(&self.group, &mut tail);
            tail.push('"');
            // No envelope has such a member, so the rest is not sent by mistake.
            if self.left_out > 0 {
                tail.push_str(&format!(r#","left_out":{}"#, self.left_out));
            }
            tail.push('}');
        }
        tail.push('\n');
        self.file.write_all(tail.as_bytes())?;
        self.file.rewind()
    }
}

/// An envelope without a destination.
fn nowhere(body: &[u8]) -> Envelope<'_> {
    Envelope { body: Some(Cow::Borrowed(body)), ..Envelope::default() }
}

#[cfg(test)]
mod tests;
