//! `--dry-run`: what would be sent, as JSON envelopes on standard output.

use crate::input::positions::Positions;
use crate::input::reader::{End, Input, Reader};
use crate::record::envelope::envelope;
use crate::record::item::{Item, Message};
use rmq_common::diagnostics::Diagnostics;
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;
use std::io::{self, BufWriter, Write};

/// Reads the input to its end and writes each message that would be sent.
///
/// # Errors
/// The first record that could not be sent, or what keeps the input from being read.
pub async fn run(
    reader: Reader,
    positions: &Positions,
    diagnostics: Diagnostics,
) -> Result<Ending, Failure> {
    let mut output = BufWriter::new(io::stdout().lock());
    let mut first = None;
    loop {
        let items = match reader.next().await {
            Input::Items(items) => items,
            Input::End(End::Failed(failure)) => return Err(first.unwrap_or(failure)),
            Input::End(_) => break,
        };
        for item in items {
            let written = match item {
                Item::Record(record) => match record.message {
                    Some(message) => write(&message, &mut output),
                    None => Ok(()),
                },
                Item::Bad(bad) => {
                    let why = bad.why.context(positions.of(bad.number));
                    match first {
                        None => first = Some(why),
                        Some(_) => diagnostics.notice(&why.to_string()),
                    }
                    Ok(())
                }
                Item::Rest { .. } => Ok(()),
            };
            if let Some(ending) = ending(written)? {
                return Ok(ending);
            }
        }
    }
    match (ending(output.flush())?, first) {
        (_, Some(failure)) => Err(failure),
        (Some(ending), None) => Ok(ending),
        (None, None) => Ok(Exit::Ok.into()),
    }
}

/// If the reader has gone, it has seen enough.
fn ending(written: io::Result<()>) -> Result<Option<Ending>, Failure> {
    match written {
        Ok(()) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Some(Exit::Ok.into())),
        Err(error) => Err(Failure::io("write to standard output", &error)),
    }
}

fn write(message: &Message, output: &mut impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    envelope(message).encode(&mut line);
    line.push(b'\n');
    output.write_all(&line)
}
