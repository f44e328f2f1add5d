//! Sets many permissions by importing definitions: one request for hundreds of them.
//!
//! Measured on RabbitMQ 3.10, 4.0 and 4.3: an import needs the same tag as a request for one
//! permission, replaces only what it names, and creates neither users nor virtual hosts. If one
//! entry is bad, the import is refused, and entries before and after it may have been set.

use super::answer::Answer;
use super::broker::Http;
use super::no_answer::NoAnswer;
use crate::unanswered::{Effect, of_several};
use rmq_common::failure::Failure;
use serde_json::{Value, json};
use std::ops::Range;
use std::time::{Duration, Instant};

/// This many or fewer are set one by one.
const FEW: usize = 100;
/// The most entries of an import,
const MOST: usize = 1000;
/// and bytes, unless one entry alone has more; RabbitMQ's own limit is 20 MB.
const LARGEST: usize = 1 << 20;
/// How long an import should take, so that a signal is noticed; a tenth of a shorter `--timeout`.
const PACE: Duration = Duration::from_secs(1);

/// What a refused entry means for those after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// They are not set.
    Ends,
    /// They are set, even if `made` has returned false: some are set already, and the count must be
    /// right.
    Passes,
}

/// Sets those in a range one by one, and returns whether to continue.
pub type OneByOne<'a> = dyn FnMut(Range<usize>, Refused, &mut dyn FnMut() -> bool) -> Result<bool, (usize, Failure)>
    + 'a;

/// Sets `entries` of the list `key` in definitions. `made` is called for each, and returns whether
/// to continue. The entries of a refused import, and all after it, are set one by one.
///
/// # Errors
/// The position of one that was not set, or may not have been, and why.
pub fn set_all(
    broker: &Http,
    key: &str,
    entries: &[Value],
    made: &mut dyn FnMut() -> bool,
    one_by_one: &mut OneByOne<'_>,
) -> Result<(), (usize, Failure)> {
    let Some(Left { tried, untried }) = import(broker, key, entries, made)? else { return Ok(()) };
    if one_by_one(tried, Refused::Passes, made)? {
        one_by_one(untried, Refused::Ends, made)?;
    }
    Ok(())
}

/// What imports have not set.
struct Left {
    /// Some may have been set.
    tried: Range<usize>,
    /// None were set.
    untried: Range<usize>,
}

fn import(
    broker: &Http,
    key: &str,
    entries: &[Value],
    made: &mut dyn FnMut() -> bool,
) -> Result<Option<Left>, (usize, Failure)> {
    let all = entries.len();
    if all <= FEW {
        return Ok(Some(Left { tried: 0..0, untried: 0..all }));
    }
    let mut pace = Pace { size: FEW, wanted: PACE.min(broker.limit() / 10) };
    let mut next = 0;
    while let Some(rest @ [_, ..]) = entries.get(next..) {
        let chunk = pace.first_of(rest);
        let begun = Instant::now();
        let answer = ask(broker, key, chunk).map_err(|failure| (next, failure))?;
        let end = next + chunk.len();
        match answer.status {
            200..300 => {}
            // An entry is bad, or made the broker crash.
            400 | 500 => return Ok(Some(Left { tried: next..end, untried: end..all })),
            // The import was not processed.
            _ => return Ok(Some(Left { tried: next..next, untried: next..all })),
        }
        pace.keep(begun.elapsed());
        next = end;
        // All of them are made, whatever `made` returns for the first.
        if !chunk.iter().fold(true, |go_on, _| made() && go_on) {
            break;
        }
    }
    Ok(None)
}

/// The answer, unless it leaves open what was done.
fn ask(broker: &Http, key: &str, chunk: &[Value]) -> Result<Answer, Failure> {
    let unknown = |failure: Failure| of_several(failure, chunk.len());
    match broker.post("/definitions", &json!({key: chunk})) {
        // From a proxy; the broker may have done it.
        Ok(answer) if answer.status > 500 => Err(unknown(broker.refusal(&answer, Effect::Changes))),
        Ok(answer) => Ok(answer),
        Err(why) => {
            let was_sent = !matches!(why, NoAnswer::NotReached { .. });
            let failure = why.failure(Effect::Changes, broker.place(), broker.limit());
            Err(if was_sent { unknown(failure) } else { failure })
        }
    }
}

/// The number of entries per import, adapted to how long earlier ones took.
#[derive(Debug)]
struct Pace {
    size: usize,
    wanted: Duration,
}

impl Pace {
    fn first_of<'a>(&self, entries: &'a [Value]) -> &'a [Value] {
        let mut bytes = 0;
        let fits = |entry: &&Value| {
            bytes += entry.to_string().len();
            bytes <= LARGEST
        };
        let count = entries.iter().take(self.size).take_while(fits).count();
        entries.get(..count.max(1)).unwrap_or(entries)
    }

    fn keep(&mut self, took: Duration) {
        if took * 2 <= self.wanted {
            self.size = (self.size * 2).min(MOST);
        } else if took > self.wanted {
            self.size = (self.size / 2).max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_grows_until_it_takes_its_time_and_shrinks_if_it_takes_longer() {
        let mut pace = Pace { size: FEW, wanted: PACE };
        for (took, size) in [(100, 200), (500, 400), (700, 400), (1001, 200), (0, 400), (0, 800)] {
            pace.keep(Duration::from_millis(took));
            assert_eq!(pace.size, size, "{took}");
        }
        pace.keep(Duration::ZERO);
        assert_eq!(pace.size, MOST);
        for _ in 0..20 {
            pace.keep(Duration::from_secs(2));
        }
        assert_eq!(pace.size, 1);
    }

    #[test]
    fn an_import_is_bounded_in_entries_and_bytes_and_has_at_least_one() {
        let pace = Pace { size: 3, wanted: PACE };
        let entries = |length: usize| vec![Value::from("x".repeat(length)); 5];
        assert_eq!(pace.first_of(&entries(10)).len(), 3);
        assert_eq!(pace.first_of(&entries(LARGEST / 2 - 2)).len(), 2);
        assert_eq!(pace.first_of(&entries(LARGEST)).len(), 1);
        assert_eq!(pace.first_of(&entries(10)[..2]).len(), 2);
    }
}
