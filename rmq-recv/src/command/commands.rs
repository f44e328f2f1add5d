//! `-- COMMAND`: one run of a command for each message.
//!
//! Each run has the body on its standard input and its own process group, so that a signal meant
//! for it reaches everything that it has started, and Ctrl-C on a terminal reaches only us. A
//! thread waits for each; the process is reaped here, so that no signal reaches another one that
//! reuses its number.

use crate::arguments::OnFailure;
use crate::command::children::Children;
use crate::command::environment;
use crate::command::pauses::Pauses;
use crate::command::subject::Subject;
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
use std::fmt;
use std::io::{self, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Instant;

/// What a pipe always accepts at once (`PIPE_BUF` of Linux).
const SHORT: usize = 4096;
/// The exit status that means "not now" (sysexits' `EX_TEMPFAIL`).
const TEMPORARY: i32 = 75;
const BACK: &str = "back in the queue";

/// The running commands, and the rules for starting more.
#[derive(Debug)]
pub struct Commands {
    words: Vec<String>,
    jobs: usize,
    on_failure: OnFailure,
    keep_env: bool,
    running: HashMap<u64, Run>,
    children: Children,
    /// Counts the runs and names them: delivery tags start again with each channel.
    count: u64,
    ended: flume::Receiver<u64>,
    sender: flume::Sender<u64>,
    pauses: Pauses,
    /// We have sent them a signal: a failure from now on counts as unfinished.
    stopping: bool,
}

/// A running command, and its message.
#[derive(Debug)]
struct Run {
    child: Child,
    delivery: Delivery,
    subject: Subject,
    /// Which delivery of the message this is, as counted by its queue.
    tries: u64,
}

/// What a run means for its message. Texts say what happened to which message.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Done,
    /// It goes back to the queue after a pause.
    PutBack {
        /// When the pause is over.
        until: Instant,
        /// Whether the queue is to count this.
        counts: bool,
        /// Why, unless the status was a plain 75.
        why: Option<String>,
    },
    /// It goes to the dead-letter exchange.
    DeadLetter(String),
    /// It goes back to the queue, and the run stops.
    Stop(String),
    /// Our own signal ended the command.
    Unfinished,
}

impl Commands {
    /// Runs of a command, up to the limit of jobs.
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
            pauses: Pauses::new(jobs),
            stopping: false,
        }
    }

    /// Whether one more may be started.
    pub fn has_room(&self) -> bool {
        self.running.len() < self.jobs && self.pauses.until().is_none()
    }

    /// Whether none is running.
    pub fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    /// Starts a run for a message.
    ///
    /// # Errors
    /// It cannot be started: a bad command line (64), or a lack of resources (74).
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
        let number = self.count + 1;
        environment::set(&mut command, queue.as_str(), number, &message);
        let subject = Subject::new(number, &message);
        let tries = message.delivery_count().unwrap_or(0).saturating_add(1);
        let mut child = self.children.spawn(&mut command).map_err(problem)?;
        if let Some(input) = child.stdin.take() {
            feed(input, message.body).map_err(problem)?;
        }
        let sender = self.sender.clone();
        let process = Pid::from_child(&child);
        thread::start("wait", move || {
            let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            // Whatever goes wrong, it is reaped next.
            let _ = retry_on_intr(|| waitid(WaitId::Pid(process), ended));
            // The receiver is gone only if the tool is ending anyway.
            let _ = sender.send(number);
        })
        .map_err(problem)?;
        self.running.insert(number, Run { child, delivery, subject, tries });
        self.count = number;
        Ok(())
    }

    /// Waits for the next one that ends. Pending forever if none is running.
    pub async fn next(&self) -> u64 {
        match self.ended.recv_async().await {
            Ok(number) => number,
            Err(_) => std::future::pending().await,
        }
    }

    /// Reaps one that has ended, and returns what it means for its message.
    pub fn verdict(&mut self, number: u64) -> Option<(Delivery, Verdict)> {
        let mut run = self.running.remove(&number)?;
        let verdict = match self.children.reap(&mut run.child) {
            Ok(status) => self.judge(status, &run),
            Err(error) => Verdict::Stop(self.sentence(&run, &Cause(&error), &BACK)),
        };
        Some((run.delivery, verdict))
    }

    fn judge(&mut self, status: ExitStatus, run: &Run) -> Verdict {
        if status.success() {
            self.pauses.succeeded();
            return Verdict::Done;
        }
        if self.stopping {
            return Verdict::Unfinished;
        }
        let not_now = status.code() == Some(TEMPORARY);
        let what = describe(status);
        let requeued = match self.on_failure {
            _ if not_now => None,
            OnFailure::Stop => return Verdict::Stop(self.sentence(run, &what, &BACK)),
            OnFailure::DeadLetter => {
                return Verdict::DeadLetter(self.sentence(run, &what, &"dead-lettered"));
            }
            OnFailure::Retry(most) if run.tries >= most => {
                let becomes = format!("dead-lettered after delivery {}", run.tries);
                return Verdict::DeadLetter(self.sentence(run, &what, &becomes));
            }
            OnFailure::Retry(most) => {
                Some(format!("requeued after delivery {} of {most}", run.tries))
            }
            OnFailure::Requeue => Some("requeued".to_owned()),
        };
        let until = self.pauses.failed(Instant::now(), run.subject.returns(), not_now);
        let why = requeued.map(|becomes| self.sentence(run, &what, &becomes));
        let counts = !not_now && matches!(self.on_failure, OnFailure::Retry(_));
        Verdict::PutBack { until, counts, why }
    }

    fn sentence(&self, run: &Run, what: &dyn fmt::Display, becomes: &dyn fmt::Display) -> String {
        run.subject.sentence(format_args!("run {}: {what}", self.name()), becomes)
    }

    /// The command's name, for a diagnostic.
    pub fn name(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// No command is started before this time.
    pub fn until(&self) -> Option<Instant> {
        self.pauses.until()
    }

    pub fn go_on(&mut self) {
        self.pauses.go_on();
    }

    /// Sends a signal to all running commands; from now on a failure counts as unfinished.
    pub fn signal(&mut self, signal: Signal) {
        self.stopping = true;
        for Run { child, .. } in self.running.values() {
            // Fails only if the whole group has ended.
            let _ = kill_process_group(Pid::from_child(child), signal);
        }
    }
}

/// Writes the body, on a separate thread if a pipe might not accept it at once.
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
