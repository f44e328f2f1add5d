//! The framings: how bytes are records, and how a record is bytes again.

use std::str::FromStr;

/// A framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Up to a `\n`, whatever the bytes are; a last line without one counts.
    Lines,
    /// Up to a zero byte; a last record without one counts.
    Nul,
    /// Four bytes of length, big-endian, and so many bytes.
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
            _ => Err("none of lines, nul, length, whole, json".to_owned()),
        }
    }
}

impl Format {
    /// What a record of this framing is called when it is counted.
    pub fn unit(self) -> &'static str {
        match self {
            Format::Lines | Format::Json => "line",
            Format::Nul | Format::Length | Format::Whole => "record",
        }
    }

    /// The byte that ends a record of a framing that is followed.
    pub fn delimiter(self) -> u8 {
        if self == Format::Nul { 0 } else { b'\n' }
    }

    /// Appends `record` to `out` as it stands in an input of this framing.
    pub fn frame(self, record: &[u8], out: &mut Vec<u8>) {
        if let Format::Length = self {
            // A record has at most 512 MiB (--max-size).
            out.extend_from_slice(&(record.len() as u32).to_be_bytes());
        }
        out.extend_from_slice(record);
        match self {
            Format::Lines | Format::Json => out.push(b'\n'),
            Format::Nul => out.push(0),
            Format::Length | Format::Whole => {}
        }
    }
}
