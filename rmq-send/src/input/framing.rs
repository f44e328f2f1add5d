//! The framings: how bytes are split into records, and how a record becomes bytes again.

use rmq_common::frame::Frame;
use std::str::FromStr;

/// A framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Up to a `\n`, whatever the bytes are; a last line without one counts.
    Lines,
    /// Up to a zero byte; a last record without one counts.
    Nul,
    /// Four bytes of length, big-endian, then that many bytes.
    Length,
    /// One input is one record.
    Whole,
    /// One JSON envelope a line (`rmq_common::envelope`).
    Json,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "lines" => Ok(Format::Lines),
            "nul" => Ok(Format::Nul),
            "length" => Ok(Format::Length),
            "whole" => Ok(Format::Whole),
            "json" => Ok(Format::Json),
            _ => Err("not one of lines, nul, length, whole, json".to_owned()),
        }
    }
}

impl Format {
    /// What a record of this framing is called in messages.
    pub fn unit(self) -> &'static str {
        match self {
            Format::Lines | Format::Json => "line",
            Format::Nul | Format::Length | Format::Whole => "record",
        }
    }

    /// The delimiters around its records.
    pub fn around(self) -> Option<Frame> {
        match self {
            Format::Lines | Format::Json => Some(Frame::LINES),
            Format::Nul => Some(Frame::NUL),
            Format::Length => Some(Frame::Length),
            Format::Whole => None,
        }
    }

    /// The byte that ends a record, for framings that can be followed.
    pub fn delimiter(self) -> u8 {
        self.around().and_then(Frame::after).unwrap_or(b'\n')
    }

    /// Appends `record` to `out` as it would be in an input of this framing.
    pub fn frame(self, record: &[u8], out: &mut Vec<u8>) {
        let around = self.around();
        // A record has at most 512 MiB (--max-size), so its length fits.
        let before = around.and_then(|around| around.before(record.len()).ok().flatten());
        out.extend(before.into_iter().flatten());
        out.extend_from_slice(record);
        out.extend(around.and_then(Frame::after));
    }
}
