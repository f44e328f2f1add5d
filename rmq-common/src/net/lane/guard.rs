//! Checks the frames that lapin gets, for anything it would not survive.
//!
//! lapin recurses into tables: headers nested deeply enough, which any publisher can send, overflow
//! the stack of its thread, and the process dies. And it stores all that it receives. Both are
//! prevented here.

use super::allowance::Allowance;
use super::method::{ContentHeader, Method};
use super::nesting;
use super::unreadable::Unreadable;
use super::wire::{self, Span};
use std::time::{Duration, Instant};

/// The class and method of a broker's introduction, which contains a table.
const CONNECTION_START: [u8; 4] = [0, 10, 0, 10];
/// The bytes of AMQP's version after them.
const START_TABLE: usize = 6;
/// How many times larger a table of the smallest values is once lapin has passed it on.
const EXPANDED: u64 = 100;
/// How often per second a broker may send what is normally rare.
const MOST_SELDOM: u32 = 1000;
const SECOND: Duration = Duration::from_secs(1);

/// What lapin has received.
#[derive(Debug, Default)]
pub(super) struct Guard {
    /// Messages that are announced and not begun, by channel.
    announced: Vec<(u16, Why)>,
    /// How often something rare was sent since then.
    seldom: Option<(Instant, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// It was requested by basic.get.
    Get,
    /// Nothing was requested: lapin neither consumes nor publishes.
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
        // The longest other method of a broker is that of a returned message: three short strings.
        if payload.len() >= nesting::HARMLESS {
            let size = u32::try_from(payload.len()).unwrap_or(u32::MAX);
            return Err(Unreadable::LongMethod(size));
        }
        let why = match Method::read(payload, Span { from: 0, to: payload.len() }) {
            Some(Method::GetOk { .. }) => Why::Get,
            Some(Method::Deliver { .. } | Method::Return { .. }) => Why::Unasked,
            Some(Method::Seldom | Method::Cancel { .. }) => return self.seldom(),
            // lapin itself refuses what is malformed.
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

    /// lapin stores each of these until it is taken, or its answer until the broker reads, and the
    /// taker may be waiting for an answer.
    fn seldom(&mut self) -> Result<(), Unreadable> {
        let now = Instant::now();
        let (since, count) = self.seldom.unwrap_or((now, 0));
        let (since, count) = if now - since > SECOND { (now, 0) } else { (since, count + 1) };
        self.seldom = Some((since, count));
        if count < MOST_SELDOM { Ok(()) } else { Err(Unreadable::Flood) }
    }
}
