//! Random command lines, and what the manual pages promise about each.
//!
//! [`sending`] and [`receiving`] are the models: a case is drawn, run against a real queue of a
//! random [`Kind`], and what came out is compared with what the pages say. A case that differs is
//! reported with its command line, so that it can be repeated by hand.

pub mod receiving;
pub mod sending;

use crate::tool::Ended;
use crate::vhost::Vhost;
use crate::wait::wait_for;
use fastrand::Rng;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long a queue may take to show its content.
const SETTLES: Duration = Duration::from_secs(10);
/// How many cases run at once.
const AT_ONCE: usize = 4;

/// A kind of queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A quorum queue.
    Quorum,
    /// A quorum queue that serves one consumer at a time.
    QuorumSingle,
    /// A classic queue.
    Classic,
    /// A classic queue that serves one consumer at a time.
    ClassicSingle,
    /// A classic queue that is deleted with its last consumer.
    AutoDelete,
    /// A stream.
    Stream,
}

impl Kind {
    const ALL: [Kind; 6] = [
        Kind::Quorum,
        Kind::QuorumSingle,
        Kind::Classic,
        Kind::ClassicSingle,
        Kind::AutoDelete,
        Kind::Stream,
    ];

    fn random(random: &mut Rng) -> Self {
        pick(random, &Self::ALL)
    }

    /// The options by which rmq-declare makes one.
    fn options(self) -> &'static [&'static str] {
        match self {
            Kind::Quorum => &[],
            Kind::QuorumSingle => &["--single-active-consumer"],
            Kind::Classic => &["--type", "classic"],
            Kind::ClassicSingle => &["--type", "classic", "--single-active-consumer"],
            Kind::AutoDelete => &["--type", "classic", "--auto-delete"],
            Kind::Stream => &["--type", "stream"],
        }
    }

    /// Whether it keeps messages that were read.
    fn keeps(self) -> bool {
        self == Kind::Stream
    }
}

/// Draws `count` cases and runs them, some at once. One that ends by its own time limit is tried
/// again alone before it counts as failed: on a busy machine, work may take longer.
///
/// # Panics
/// When a case does not end as the pages say; every such case is reported.
pub fn run<C: Clone + Send>(
    count: usize,
    random: &mut Rng,
    draw: impl Fn(&mut Rng) -> C,
    check: impl Fn(C, usize) -> Result<(), String> + Sync,
) {
    let cases: Vec<C> = (0..count).map(|_| draw(random)).collect();
    let cases = std::sync::Mutex::new(cases.into_iter().enumerate());
    let ran = AtomicUsize::new(0);
    let failures = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = cases.lock().expect("no panic while it was held").next();
                    let Some((number, case)) = next else { break };
                    // A case that hangs makes what waits for it panic, and counts like any other.
                    let again = case.clone();
                    let checked = catch_unwind(AssertUnwindSafe(|| check(case, number)));
                    let checked = checked.unwrap_or_else(|panic| Err(said(&*panic)));
                    if let Err(why) = checked {
                        let mut failures = failures.lock().expect("no panic while it was held");
                        failures.push((number, again, why));
                    }
                    ran.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let mut failures = failures.into_inner().expect("no panic while it was held");
    let failures: Vec<String> = failures
        .drain(..)
        .filter_map(|(number, case, why)| {
            if !["--idle", "--timeout"].iter().any(|option| why.contains(option)) {
                return Some(why);
            }
            eprintln!("tried again alone: {why}");
            let again = catch_unwind(AssertUnwindSafe(|| check(case, number + count)));
            again.unwrap_or_else(|panic| Err(said(&*panic))).err()
        })
        .collect();
    assert!(failures.is_empty(), "{} of {count}:\n{}", failures.len(), failures.join("\n\n"));
    assert_eq!(ran.into_inner(), count, "each case was run");
}

/// The message of a panic.
fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
}

/// One of these.
fn pick<T: Copy>(random: &mut Rng, from: &[T]) -> T {
    from[random.usize(..from.len())]
}

/// Whether something that happens once in `n` times does.
fn one_in(random: &mut Rng, n: usize) -> bool {
    random.usize(..n) == 0
}

/// The first bytes in which two outputs differ, if any do.
fn same_bytes(what: &str, got: &[u8], wanted: &[u8]) -> Result<(), String> {
    let Some(at) = (0..got.len().max(wanted.len())).find(|at| got.get(*at) != wanted.get(*at))
    else {
        return Ok(());
    };
    let near = |bytes: &[u8]| {
        bytes[at.min(bytes.len())..bytes.len().min(at + 40)].escape_ascii().to_string()
    };
    let (got_length, length) = (got.len(), wanted.len());
    Err(format!(
        "{what}: {got_length} bytes, not {length}; from byte {at} '{}', not '{}'",
        near(got),
        near(wanted)
    ))
}

/// Fails with both values if they differ.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: &T, wanted: &T) -> Result<(), String> {
    if got == wanted { Ok(()) } else { Err(format!("{what}: {got:?}, not {wanted:?}")) }
}

/// The case's command line and its output, followed by what is wrong.
fn told(ended: &Ended, why: &str) -> String {
    format!("{}\n  {why}\n  {}\n  {}", ended.command, ended.status, ended.stderr.trim_end())
}

/// How many messages a queue has ready; `None` if it does not exist.
fn ready(vhost: &Vhost<'_>, queue: &str) -> Option<usize> {
    let checked = vhost.tool("rmq-declare").arguments(&["--check", queue]).run();
    let text = String::from_utf8_lossy(&checked.stdout).into_owned();
    text.trim_end().split('\t').nth(1).and_then(|count| count.parse().ok())
}

/// Waits until a queue has this many ready, or does not exist.
fn wait_ready(vhost: &Vhost<'_>, queue: &str, wanted: Option<usize>) -> Result<(), String> {
    let seen = std::cell::Cell::new(None);
    let deadline = std::time::Instant::now() + SETTLES;
    wait_for(SETTLES * 2, "a count", || {
        seen.set(ready(vhost, queue));
        (seen.get() == wanted || std::time::Instant::now() > deadline).then_some(())
    });
    same(&format!("messages ready in {queue}"), &seen.get(), &wanted)
}

/// Splits records with a length before each into bodies.
fn lengths(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = (u32::from_be_bytes(*length) as usize).min(rest.len());
        bodies.push(rest[..length].to_vec());
        bytes = &rest[length..];
    }
    bodies
}
