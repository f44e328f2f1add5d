//! What the queues of a virtual host were declared with.
//!
//! Arguments are as large as who declared a queue likes, so they are asked for a page at a time, and
//! one by one where a page is too large or too slow: for each page the API reads those of all queues.

use super::broker::{Fetched, Http};
use super::client::path;
use super::json::{broken, text};
use crate::queues::{Declared, Queue, Room, left_out};
use rmq_common::failure::Failure;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The columns that say it.
pub const COLUMNS: &str = "durable,auto_delete,exclusive,arguments";

/// Of how many queues it is asked at a time, more as long as each answer comes this soon,
const SMALLEST_PAGE: usize = 8;
const LARGEST_PAGE: usize = 512;
const QUICK: Duration = Duration::from_millis(250);
/// and of one after the other where a page takes longer than this for each of its queues and no more
/// than so many are left: one alone takes the API 3 ms, and 100 ms with 100,000 elements.
const SLOW: Duration = Duration::from_millis(50);
const FEW: usize = 1000;

/// The queues with what they were declared with, without those that were deleted meanwhile.
///
/// # Errors
/// When the broker does not tell.
pub fn add(broker: &Http, vhost: &str, mut queues: Vec<Queue>) -> Result<Vec<Queue>, Failure> {
    let (mut all, mut room) = (BTreeMap::new(), Room::default());
    by_pages(broker, vhost, queues.len(), &mut |queue| {
        let name = text(queue, "name").ok_or_else(not_understood)?;
        all.insert(name, of(queue, &mut room));
        Ok(())
    })?;
    // Also those that moved to another page meanwhile, because a queue before them was deleted.
    let (until, mut late) = (Instant::now() + broker.limit(), 0);
    let query = format!("?columns={COLUMNS}");
    for name in queues.iter().map(|queue| &queue.name) {
        if all.contains_key(name) {
            continue;
        }
        let name_text = String::from_utf8_lossy(name);
        let left = until.saturating_duration_since(Instant::now());
        let declared = match broker.fetch(left, &["queues", vhost, &name_text], &query) {
            _ if path(&[&name_text]).is_err() => unknown("they cannot be had over HTTP"),
            Err(failure) => return Err(failure),
            Ok(Fetched::Found(queue)) => of(&queue, &mut room),
            Ok(Fetched::Missing) => continue,
            Ok(Fetched::TooLarge) => unknown("they cannot be had over HTTP"),
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
            "what {late} of {count} queues were declared with is not shown: the API does not say it \
             within --timeout"
        ));
    }
    queues.retain_mut(|queue| {
        queue.declared = all.remove(&queue.name);
        queue.declared.is_some()
    });
    Ok(queues)
}

/// Why arguments are left out.
pub const NO_TIME: &str = "the API does not say them within --timeout";

/// What is not known, and why.
pub fn unknown(why: &str) -> Declared {
    Declared { arguments: left_out(why), ..Declared::default() }
}

/// Asks for as many pages as come soon enough and are not too large.
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

/// What the API says a queue was declared with.
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
    broken("an answer that is not understood".to_owned())
}
