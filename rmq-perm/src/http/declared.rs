//! Arguments and flags of the queues of a virtual host.
//!
//! Any user who may declare a queue chooses the size of its arguments, so they are fetched a page
//! at a time, and one by one if a page is too large or too slow: the API reads those of all queues
//! each time.

use super::broker::{Fetched, Http};
use super::json::{broken, text};
use super::path::path;
use crate::queues::{Declared, Queue, Room, left_out};
use rmq_common::failure::Failure;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The columns for them.
pub const COLUMNS: &str = "durable,auto_delete,exclusive,arguments";

/// The number of queues on a page, which grows while each answer arrives this quickly,
const SMALLEST_PAGE: usize = 8;
const LARGEST_PAGE: usize = 512;
const QUICK: Duration = Duration::from_millis(250);
/// and one by one if a page takes longer than this for each of its queues and at most this many are
/// left: one alone takes the API 3 ms, and 100 ms with 100,000 elements.
const SLOW: Duration = Duration::from_millis(50);
const FEW: usize = 1000;

/// Adds them to the queues, and removes queues that were deleted meanwhile.
pub fn add(broker: &Http, vhost: &str, mut queues: Vec<Queue>) -> Result<Vec<Queue>, Failure> {
    let (mut all, mut room) = (BTreeMap::new(), Room::default());
    by_pages(broker, vhost, queues.len(), &mut |queue| {
        let name = text(queue, "name").ok_or_else(not_understood)?;
        all.insert(name, of(queue, &mut room));
        Ok(())
    })?;
    // These include queues that moved to another page because one before them was deleted.
    let (until, mut late) = (Instant::now() + broker.limit(), 0);
    let query = format!("?columns={COLUMNS}");
    for name in queues.iter().map(|queue| &queue.name) {
        if all.contains_key(name) {
            continue;
        }
        let name_text = String::from_utf8_lossy(name);
        let left = until.saturating_duration_since(Instant::now());
        let declared = match broker.fetch(left, &["queues", vhost, &name_text], &query) {
            _ if path(&[&name_text]).is_err() => unknown("not available over HTTP"),
            Err(failure) => return Err(failure),
            Ok(Fetched::Found(queue)) => of(&queue, &mut room),
            Ok(Fetched::Missing) => continue,
            Ok(Fetched::TooLarge) => unknown("not available over HTTP"),
            Ok(Fetched::Late) => {
                late += 1;
                unknown(NO_TIME)
            }
        };
        all.insert(name.clone(), declared);
    }
    if late > 0 {
        let count = queues.len();
        broker.notice(&format!(
            "the arguments and flags of {late} of {count} queues are not shown: the API did not \
             return them within --timeout"
        ));
    }
    queues.retain_mut(|queue| {
        queue.declared = all.remove(&queue.name);
        queue.declared.is_some()
    });
    Ok(queues)
}

/// Why arguments are left out.
pub const NO_TIME: &str = "the API did not return them within --timeout";

/// Unknown arguments and flags, and why.
pub fn unknown(why: &str) -> Declared {
    Declared { arguments: left_out(why), ..Declared::default() }
}

/// Fetches as many pages as arrive in time and are not too large.
fn by_pages(
    broker: &Http,
    vhost: &str,
    count: usize,
    found: &mut dyn FnMut(&Value) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (mut done, mut size) = (0, SMALLEST_PAGE);
    while done < count {
        let page = done / size + 1;
        let query =
            format!("?page={page}&page_size={size}&columns=name,{COLUMNS}&disable_stats=true");
        let asked = Instant::now();
        match broker.fetch(broker.limit(), &["queues", vhost], &query)? {
            Fetched::Found(answer) => {
                answer["items"]
                    .as_array()
                    .ok_or_else(not_understood)?
                    .iter()
                    .try_for_each(&mut *found)?;
                done = page * size;
                let (took, queues) = (asked.elapsed(), u32::try_from(size).unwrap_or(u32::MAX));
                let is_slow = took > SLOW * queues;
                if is_slow && count.saturating_sub(done) <= FEW {
                    break;
                }
                if took < QUICK || is_slow {
                    size = (size * 2).min(LARGEST_PAGE);
                }
            }
            Fetched::TooLarge if size > SMALLEST_PAGE => size = SMALLEST_PAGE,
            Fetched::TooLarge => done = page * size,
            Fetched::Late | Fetched::Missing => break,
        }
    }
    Ok(())
}

/// Reads them from the API's object for a queue.
pub fn of(queue: &Value, room: &mut Room) -> Declared {
    let is = |key: &str| queue.get(key).and_then(Value::as_bool);
    let arguments = match &queue["arguments"] {
        // An empty table is an empty list in some releases.
        arguments @ Value::Object(_) => room.keep(arguments),
        _ => "{}".to_owned(),
    };
    let (durable, auto_delete) = (is("durable"), is("auto_delete"));
    Declared { durable, auto_delete, exclusive: is("exclusive"), arguments }
}

fn not_understood() -> Failure {
    broken("unexpected answer".to_owned())
}
