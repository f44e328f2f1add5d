//! Many calls on one connection, several in flight: during a change, the node mostly waits for its
//! disk.

use super::call::{Call, answer_to, receive, request};
use super::link::Link;
use crate::term::{Pid, Term};
use crate::unanswered::Unanswered;
use futures_util::io::{AsyncRead, AsyncWrite};
use rmq_common::runtime;
use std::collections::BTreeMap;
use std::time::Duration;

/// More at a time do not make the node faster.
const AT_ONCE: usize = 32;

/// Calls that were not answered.
#[derive(Debug)]
pub struct Missing {
    /// The position of the first of them.
    pub first: usize,
    /// How many there are; it is unknown whether they were made.
    pub count: usize,
    pub why: Unanswered,
}

/// Has the node make `calls`, in any order, and passes each answer with its call's position to
/// `answered`. After that returns false, no more are made, but those in flight are awaited.
///
/// # Errors
/// The connection ends, or no answer comes within `limit` of the previous one.
pub async fn call_all(
    link: &mut Link<impl AsyncRead + Unpin, impl AsyncWrite + Unpin + Send + 'static>,
    us: &mut Pid,
    calls: impl Iterator<Item = Call>,
    limit: Duration,
    answered: &mut dyn FnMut(usize, Term) -> bool,
) -> Result<(), Missing> {
    let mut calls = calls.enumerate();
    let mut waiting = BTreeMap::new();
    let mut go_on = true;
    loop {
        let step = async {
            while go_on && waiting.len() < AT_ONCE {
                let Some((place, call)) = calls.next() else { break };
                // Each has its own process, to tell the answers apart.
                us.serial = us.serial.wrapping_add(1);
                waiting.insert(us.serial, place);
                link.write(&request(us, call)?).await.map_err(Unanswered::Lost)?;
            }
            if waiting.is_empty() {
                return Ok(None);
            }
            loop {
                let frame = receive(link).await?;
                let is_ours = |to: &Pid| {
                    waiting.contains_key(&to.serial)
                        && *to == Pid { serial: to.serial, ..us.clone() }
                };
                let answer = answer_to(&frame, is_ours).map_err(Unanswered::Broken)?;
                if let Some((to, answer)) = answer {
                    return Ok(waiting.remove(&to.serial).map(|place| (place, answer)));
                }
            }
        };
        match runtime::timeout(limit, step).await {
            Some(Ok(Some((place, answer)))) => go_on &= answered(place, answer),
            Some(Ok(None)) => return Ok(()),
            late => {
                let first = waiting.values().min().copied().unwrap_or_default();
                let why = late.and_then(Result::err).unwrap_or(Unanswered::Late);
                return Err(Missing { first, count: waiting.len(), why });
            }
        }
    }
}
