//! An eye on the frames that lapin gets, for what it would not survive.
//!
//! lapin recurses into tables: headers nested deeply enough, which any publisher can
//! send, overflow the stack of its thread, and the process is gone. And it keeps all that it is
//! given. Both are refused before it sees them.

use super::allowance::Allowance;
use super::method::{ContentHeader, Method};
use super::nesting;
use super::unreadable::Unreadable;
use super::wire::{self, Span};
use std::time::{Duration, Instant};

/// The class and method with which a broker introduces itself, with a table.
const CONNECTION_START: [u8; 4] = [0, 10, 0, 10];
/// The version of AMQP after them.
const START_TABLE: usize = 6;
/// How much more a table of the smallest values takes once lapin has read it and passed it on.
const EXPANDED: u64 = 100;
/// How often a broker may say in a second what it says seldom.
const MOST_SELDOM: u32 = 1000;
const SECOND: Duration = Duration::from_secs(1);

/// What lapin was given.
#[derive(Debug, Default)]
pub(super) struct Guard {
    /// Messages that are announced and not begun, by their channel.
    announced: Vec<(u16, Why)>,
    /// How often it was said since then what is said seldom.
    seldom: Option<(Instant, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// It was asked for by basic.get.
    Get,
    /// lapin neither consumes nor publishes.
    Unasked,
}

impl Guard {
    pub(super) fn look_at(
        &mut self,
        kind: u8,
        channel: u16,
        payload: &[u8],
        allowance: &mut Allowance,
    ) -> Result<(), Unreadable> {
        match kind {
            wire::METHOD => self.method(channel, payload),
            wire::HEADER => self.header(channel, payload, allowance),
            _ => Ok(()),
        }
    }

    fn method(&mut self, channel: u16, payload: &[u8]) -> Result<(), Unreadable> {
        if payload.starts_with(&CONNECTION_START) {
            let table = payload.get(START_TABLE..).unwrap_or_default();
            return if nesting::is_table_too_deep(table) {
                Err(Unreadable::Nested)
            } else {
                Ok(())
            };
        }
        // The longest that a broker sends besides is a returned message's method: three short
        // strings.
        if payload.len() >= nesting::HARMLESS {
            let size = u32::try_from(payload.len()).unwrap_or(u32::MAX);
            return Err(Unreadable::LongMethod(size));
        }
        let why = match Method::read(payload, Span { from: 0, to: payload.len() }) {
            Some(Method::GetOk { .. }) => Why::Get,
            Some(Method::Deliver { .. } | Method::Return { .. }) => Why::Unasked,
            Some(Method::Seldom | Method::Cancel { .. }) => return self.seldom(),
            // What is malformed is lapin's to refuse.
            _ => return Ok(()),
        };
        // lapin would keep them all.
        if self.announced.iter().any(|(announced, _)| *announced == channel) {
            return Err(Unreadable::Unfinished);
        }
        self.announced.push((channel, why));
        Ok(())
    }

    fn header(
        &mut self,
        channel: u16,
        payload: &[u8],
        allowance: &mut Allowance,
    ) -> Result<(), Unreadable> {
        let at = self.announced.iter().position(|(announced, _)| *announced == channel);
        if let Some(at) = at
            && let Some(header) = ContentHeader::read(payload, Span { from: 0, to: payload.len() })
        {
            let (_, why) = self.announced.swap_remove(at);
            let comes = match why {
                Why::Get => allowance.body(header.size),
                Why::Unasked => {
                    let properties = header.properties.len() as u64;
                    allowance.stray(header.size.saturating_add(properties * EXPANDED))
                }
            };
            comes.map_err(Unreadable::Excess)?;
        }
        if nesting::is_too_deep(payload) { Err(Unreadable::Nested) } else { Ok(()) }
    }

    /// lapin keeps each of these until it is asked for, or its answer until the broker reads, and who
    /// asks may be waiting for an answer.
    fn seldom(&mut self) -> Result<(), Unreadable> {
        let now = Instant::now();
        let (since, count) = self.seldom.unwrap_or((now, 0));
        let (since, count) = if now - since > SECOND { (now, 0) } else { (since, count + 1) };
        self.seldom = Some((since, count));
        if count < MOST_SELDOM { Ok(()) } else { Err(Unreadable::Flood) }
    }
}
