//! `-- COMMAND`: one run of a command for each message.
//!
//! Each has the body on its standard input and a process group of its own, so that a signal meant
//! for it reaches what it has started, and Ctrl-C on a terminal reaches us alone. A thread waits for
//! each; the process is reaped here, so that no signal of ours ever goes to another one that was
//! given its number.

use crate::arguments::OnFailure;
use crate::command::children::Children;
use crate::command::environment;
use crate::delivery::ids::Delivery;
use crate::delivery::message::Message;
use crate::settings;
use lapin::types::ShortString;
use rmq_common::failure::{Cause, Failure};
use rmq_common::thread;
use rustix::io::Errno;
use rustix::io::retry_on_intr;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::collections::HashMap;
use std::io::{self, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// What a pipe takes at once, always (`PIPE_BUF` of Linux).
const SHORT: usize = 4096;
/// The exit status that says: not now (sysexits' `EX_TEMPFAIL`).
const TEMPORARY: i32 = 75;
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The commands that run, and those that may.
#[derive(Debug)]
pub struct Commands {
    words: Vec<String>,
    jobs: usize,
    on_failure: OnFailure,
    keep_env: bool,
    running: HashMap<u64, (Child, Delivery)>,
    children: Children,
    /// Counts the runs, which name them: delivery tags begin anew with each channel.
    count: u64,
    ended: flume::Receiver<u64>,
    sender: flume::Sender<u64>,
    /// How long the next message that could not be done yet is kept.
    pause: Duration,
    /// Until when nothing is begun.
    until: Option<Instant>,
    /// We have sent them a signal: what fails now is unfinished.
    stopping: bool,
}

/// What a run says of its message.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Done,
    /// It goes back to the queue after a pause; why, where that is no plain 75.
    PutBack(Option<String>),
    /// It goes to the dead-letter exchange, and why.
    DeadLetter(String),
    /// It goes back, and we stop.
    Stop(String),
    /// Our own signal ended it.
    Unfinished,
}

impl Commands {
    /// Runs of a command, as many at once as it may.
    pub fn new(command: settings::Command) -> Self {
        let settings::Command { words, jobs, on_failure, keep_env } = command;
        let (sender, ended) = flume::unbounded();
        Commands {
            words,
            jobs,
            on_failure,
            keep_env,
            running: HashMap::new(),
            children: Children::default(),
            count: 0,
            ended,
            sender,
            pause: SHORTEST_PAUSE,
            until: None,
            stopping: false,
        }
    }

    /// Whether one more may be begun.
    pub fn has_room(&self) -> bool {
        self.running.len() < self.jobs && self.until.is_none()
    }

    /// Whether none runs.
    pub fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    /// Begins a run for a message.
    ///
    /// # Errors
    /// When it cannot be started: a bad command line (64), or no resources (74).
    pub fn start(
        &mut self,
        queue: &ShortString,
        delivery: Delivery,
        message: Message,
    ) -> Result<(), Failure> {
        let name = self.name().to_owned();
        let problem = |error: io::Error| match Errno::from_io_error(&error) {
            Some(Errno::NOENT | Errno::ACCESS | Errno::PERM | Errno::NOTDIR | Errno::NOEXEC) => {
                Failure::usage(format!("run {name}: {}", Cause(&error)))
            }
            _ => Failure::io(format!("run {name}"), &error),
        };
        let mut command = Command::new(&name);
        command.args(self.words.iter().skip(1)).stdin(Stdio::piped()).process_group(0);
        if !self.keep_env {
            environment::take_secrets(&mut command);
        }
        environment::set(&mut command, queue.as_str(), &message);
        let mut child = self.children.spawn(&mut command).map_err(problem)?;
        if let Some(input) = child.stdin.take() {
            feed(input, message.body).map_err(problem)?;
        }
        let (number, sender) = (self.count, self.sender.clone());
        let process = Pid::from_child(&child);
        thread::start("wait", move || {
            let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            // Whatever goes wrong, it is reaped next.
            let _ = retry_on_intr(|| waitid(WaitId::Pid(process), ended));
            // Nobody receives it only where the tool is ending anyway.
            let _ = sender.send(number);
        })
        .map_err(problem)?;
        self.running.insert(number, (child, delivery));
        self.count += 1;
        Ok(())
    }

    /// Waits for the next one that ends. Pending for ever where none runs.
    pub async fn next(&self) -> u64 {
        match self.ended.recv_async().await {
            Ok(number) => number,
            Err(_) => std::future::pending().await,
        }
    }

    /// Reaps one that has ended, and gives what it says of its message.
    pub fn verdict(&mut self, number: u64) -> Option<(Delivery, Verdict)> {
        let (mut child, delivery) = self.running.remove(&number)?;
        let verdict = match self.children.reap(&mut child) {
            Ok(status) => self.judge(status),
            Err(error) => Verdict::Stop(Cause(&error).to_string()),
        };
        Some((delivery, verdict))
    }

    fn judge(&mut self, status: ExitStatus) -> Verdict {
        if status.success() {
            self.pause = SHORTEST_PAUSE;
            return Verdict::Done;
        }
        if self.stopping {
            return Verdict::Unfinished;
        }
        match (status.code(), self.on_failure) {
            (Some(TEMPORARY), _) | (_, OnFailure::Requeue) => {
                self.until = Instant::now().checked_add(self.pause);
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                let is_failure = status.code() != Some(TEMPORARY);
                Verdict::PutBack(is_failure.then(|| describe(status)))
            }
            (_, OnFailure::DeadLetter) => Verdict::DeadLetter(describe(status)),
            (_, OnFailure::Stop) => Verdict::Stop(describe(status)),
        }
    }

    /// The command's name, for a diagnostic.
    pub fn name(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// When the pause is over, if there is one.
    pub fn until(&self) -> Option<Instant> {
        self.until
    }

    pub fn go_on(&mut self) {
        self.until = None;
    }

    /// Sends a signal to all that run; from here on what fails is unfinished.
    pub fn signal(&mut self, signal: Signal) {
        self.stopping = true;
        for (child, _) in self.running.values() {
            // Refused only where the whole group has ended.
            let _ = kill_process_group(Pid::from_child(child), signal);
        }
    }
}

/// Writes the body, on a thread of its own where a pipe might not take it at once.
fn feed(mut input: ChildStdin, body: Vec<u8>) -> io::Result<()> {
    let is_short = body.len() <= SHORT;
    // A command need not read its input.
    let mut write = move || drop(input.write_all(&body));
    if is_short {
        write();
        return Ok(());
    }
    thread::start("feed", write).map(|_| ())
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("ended by signal {signal}"),
        (None, None) => status.to_string(),
    }
}
