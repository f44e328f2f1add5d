//! A running program that the torture may act on.

use crate::running::Running;
use crate::tool::Ended;
use rustix::process::Signal;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How often a program's messages are recorded.
const NOTED: Duration = Duration::from_secs(5);

/// An action on a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// SIGKILL.
    Kill,
    /// SIGTERM.
    Stop,
    /// SIGSTOP, and after this time SIGCONT.
    Pause(Duration),
}

/// The actions for one kind of program, whichever is running.
#[derive(Debug)]
pub struct Orders {
    /// The program's role in its flow.
    pub name: &'static str,
    waiting: Mutex<VecDeque<Order>>,
    said: Mutex<String>,
    kills: AtomicUsize,
}

impl Orders {
    /// For a program with this role in its flow.
    pub fn new(name: &'static str) -> Self {
        Orders {
            name,
            waiting: Mutex::default(),
            said: Mutex::default(),
            kills: AtomicUsize::new(0),
        }
    }

    /// Requests an action; if no program is running, the next one gets it.
    pub fn give(&self, order: Order) {
        self.waiting.lock().expect("no panic while it was held").push_back(order);
    }

    /// What the running program had written a moment ago.
    pub fn said(&self) -> String {
        self.said.lock().expect("no panic while it was held").clone()
    }

    /// How often it was killed by SIGKILL.
    pub fn kills(&self) -> usize {
        self.kills.load(Ordering::Relaxed)
    }

    fn take(&self) -> Option<Order> {
        self.waiting.lock().expect("no panic while it was held").pop_front()
    }
}

/// A running program.
#[derive(Debug)]
pub struct Watched<'a> {
    running: Running,
    orders: &'a Orders,
    frozen: Option<Instant>,
    noted: Instant,
    /// How we have asked it to end.
    pub asked: Option<Order>,
}

impl<'a> Watched<'a> {
    /// The program has been started.
    pub fn new(running: Running, orders: &'a Orders) -> Self {
        Watched { running, orders, frozen: None, noted: Instant::now(), asked: None }
    }

    /// The program itself.
    pub fn running(&mut self) -> &mut Running {
        &mut self.running
    }

    /// Performs requested actions, and returns whether the program has ended. Actions requested
    /// after it was asked to end are left for the next one.
    pub fn look(&mut self) -> bool {
        if !self.running.is_running() {
            return true;
        }
        if self.noted.elapsed() > NOTED {
            let said = format!("pid {}: {}", self.running.pid(), self.running.stderr());
            *self.orders.said.lock().expect("no panic while it was held") = said;
            self.noted = Instant::now();
        }
        if self.frozen.is_some_and(|until| Instant::now() >= until) {
            self.running.signal(Signal::CONT);
            self.frozen = None;
        }
        if self.frozen.is_some() || self.asked.is_some() {
            return false;
        }
        match self.orders.take() {
            Some(Order::Kill) => {
                self.orders.kills.fetch_add(1, Ordering::Relaxed);
                self.ask(Order::Kill);
            }
            Some(Order::Stop) => self.ask(Order::Stop),
            Some(Order::Pause(length)) => {
                self.running.signal(Signal::STOP);
                self.frozen = Some(Instant::now() + length);
            }
            None => {}
        }
        false
    }

    /// Whether it is stopped, for now.
    pub fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    /// Asks it to end.
    pub fn ask(&mut self, order: Order) {
        let signal = if order == Order::Kill { Signal::KILL } else { Signal::TERM };
        if self.running.is_running() {
            self.running.signal(signal);
        }
        self.asked = Some(order);
    }

    /// Waits for its end, which [`look`](Self::look) has seen.
    pub fn end(self) -> Ended {
        self.running.wait()
    }
}
