//! A flow of lines: the sender, the programs between, and the receiver.

use crate::tool::Ended;
use crate::torture::ledger::Ledger;
use crate::torture::receiver::FORMAT;
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

/// What the programs of one flow share.
#[derive(Debug)]
pub struct Flow {
    /// Its name.
    pub name: &'static str,
    /// The name of its first queue.
    pub queue: &'static str,
    /// How its receiver writes each message.
    pub format: &'static str,
    ledger: Mutex<Ledger>,
    no_more: AtomicBool,
    endings: Mutex<BTreeMap<String, usize>>,
    rotations: Mutex<BTreeMap<&'static str, usize>>,
    problems: Mutex<Vec<String>>,
}

impl Flow {
    /// A flow into this queue.
    pub fn new(name: &'static str, queue: &'static str, ledger: Ledger) -> Self {
        Flow {
            name,
            queue,
            format: FORMAT,
            ledger: Mutex::new(ledger),
            no_more: AtomicBool::new(false),
            endings: Mutex::default(),
            rotations: Mutex::default(),
            problems: Mutex::default(),
        }
    }

    /// The same, whose receiver writes each message like this.
    #[must_use]
    pub fn with_format(self, format: &'static str) -> Self {
        Flow { format, ..self }
    }

    /// Its ledger.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().expect("no panic while it was held")
    }

    /// From now on, it is given nothing new.
    pub fn end(&self) {
        self.no_more.store(true, Ordering::Relaxed);
    }

    /// Whether it is given nothing new.
    pub fn is_ending(&self) -> bool {
        self.no_more.load(Ordering::Relaxed)
    }

    /// Notes how a program has ended.
    pub fn ended(&self, name: &str, ended: &Ended) {
        let how = match (ended.status.code(), ended.status.signal()) {
            (Some(code), _) => format!("{name}: exit {code}"),
            (None, signal) => format!("{name}: signal {}", signal.unwrap_or_default()),
        };
        let mut endings = self.endings.lock().expect("no panic while it was held");
        *endings.entry(how).or_default() += 1;
    }

    /// How programs have ended, and how often.
    pub fn endings(&self) -> BTreeMap<String, usize> {
        self.endings.lock().expect("no panic while it was held").clone()
    }

    /// Notes that its log was rotated.
    pub fn rotated(&self, kind: &'static str) {
        let mut rotations = self.rotations.lock().expect("no panic while it was held");
        *rotations.entry(kind).or_default() += 1;
    }

    /// How its log was rotated, and how often.
    pub fn rotations(&self) -> BTreeMap<&'static str, usize> {
        self.rotations.lock().expect("no panic while it was held").clone()
    }

    /// Notes a fault.
    #[expect(clippy::needless_pass_by_value, reason = "it is made for this")]
    pub fn problem(&self, text: String) {
        let text = format!("{}: {text}", self.name);
        eprintln!("PROBLEM {text}");
        self.problems.lock().expect("no panic while it was held").push(text);
    }

    /// The faults.
    pub fn problems(&self) -> Vec<String> {
        self.problems.lock().expect("no panic while it was held").clone()
    }
}
