//! What rmq-recv promises: which messages are written, in which order, what stays, the exit status.

use super::{Kind, one_in, pick, same, same_bytes, told, wait_ready};
use crate::tool::{Ended, Tool};
use crate::vhost::Vhost;
use fastrand::Rng;
use std::fs::{self, File};
use std::path::Path;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Lines,
    Nul,
    Length,
    Json,
    Template,
}

/// What to do when a command fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnFailure {
    Stop,
    Requeue,
    DeadLetter,
}

#[derive(Clone, Debug)]
struct Command {
    jobs: usize,
    on_failure: OnFailure,
    /// For which messages the command fails.
    fails: Vec<bool>,
}

/// A command line of rmq-recv, and the content of its queue.
#[derive(Clone, Debug)]
pub struct Receiving {
    kind: Kind,
    count: usize,
    number: Option<usize>,
    drain: bool,
    idle: bool,
    timeout: bool,
    framing: Framing,
    command: Option<Command>,
    to_file: bool,
    options: Vec<String>,
}

impl Receiving {
    /// A random one, which ends by itself.
    pub fn draw(random: &mut Rng) -> Self {
        let kind = Kind::random(random);
        let count = random.usize(..60);
        let number = one_in(random, 2).then(|| random.usize(1..80));
        let mut drain = one_in(random, 2);
        let idle = one_in(random, 4);
        let timeout = one_in(random, 12);
        // Something has to end it.
        drain = drain || !(idle || timeout || number.is_some_and(|number| number <= count));
        let command = one_in(random, 3).then(|| Command::draw(kind, count, random));
        let to_file = command.is_none() && one_in(random, 2);
        let framings =
            [Framing::Lines, Framing::Nul, Framing::Length, Framing::Json, Framing::Template];
        let framing = if command.is_some() { Framing::Lines } else { pick(random, &framings) };
        let mut options = Vec::new();
        let mut add = |words: &[&str]| options.extend(words.iter().map(|word| (*word).to_owned()));
        if one_in(random, 3) {
            add(&["--prefetch", pick(random, &["1", "2", "3", "50", "2000"])]);
        }
        if one_in(random, 3) {
            add(&["--prefetch-bytes", pick(random, &["1", "100", "1K"])]);
        }
        if one_in(random, 4) && command.is_none() {
            add(&["--ack", if to_file { "written" } else { pick(random, &["read", "written"]) }]);
        }
        if one_in(random, 4) && to_file {
            add(&["--fsync"]);
        }
        if one_in(random, 4) {
            add(&["--retry", "10s"]);
        }
        if kind == Kind::Stream {
            add(&["--offset", "first"]);
        }
        Receiving { kind, count, number, drain, idle, timeout, framing, command, to_file, options }
    }

    /// Runs it on a queue of its own, and compares the result with the page.
    ///
    /// # Errors
    /// What differs, with the command line.
    pub fn check(&self, vhost: &Vhost<'_>, number: usize) -> Result<(), String> {
        let queue = format!("r{number}");
        let letters = format!("{queue}.dead");
        vhost.declare(&["--type", "classic"], &letters);
        let dead = ["--dead-letter-exchange", "", "--dead-letter-key", &letters];
        let dead: &[&str] = if self.kind == Kind::Stream { &[] } else { &dead };
        vhost.declare(&[self.kind.options(), dead].concat(), &queue);
        let input: Vec<u8> =
            (0..self.count).flat_map(|index| [body(index), vec![b'\n']].concat()).collect();
        vhost.send(&[&queue]).input(input).run().expect(0);
        let directory = tempfile::tempdir().expect("a directory");
        let ended = self.run(vhost, &queue, directory.path());
        let judged = match &self.command {
            Some(command) => self.judge_command(command, vhost, &queue, &ended),
            None => self.judge(vhost, &queue, directory.path(), &ended),
        };
        judged.map_err(|why| {
            told(&ended, &format!("{} messages, {:?}: {why}", self.count, self.kind))
        })
    }

    fn run(&self, vhost: &Vhost<'_>, queue: &str, directory: &Path) -> Ended {
        let mut tool: Tool = vhost.tool("rmq-recv");
        for option in &self.options {
            tool = tool.arguments(&[option]);
        }
        if let Some(number) = self.number {
            tool = tool.arguments(&["-n", &number.to_string()]);
        }
        if self.drain {
            tool = tool.arguments(&["--drain"]);
        }
        if self.idle {
            tool = tool.arguments(&["--idle", "700ms"]);
        }
        if self.timeout {
            tool = tool.arguments(&["--timeout", "4s"]);
        }
        tool = match self.framing {
            Framing::Lines => tool,
            Framing::Nul => tool.arguments(&["-0"]),
            Framing::Length => tool.arguments(&["--format", "length"]),
            Framing::Json => tool.arguments(&["--format", "json"]),
            Framing::Template => tool.arguments(&["--format", "%r %S:%s;"]),
        };
        if let Some(command) = &self.command {
            tool = tool.arguments(&["-j", &command.jobs.to_string()]);
            tool = match command.on_failure {
                OnFailure::Stop => tool,
                OnFailure::Requeue => tool.arguments(&["--on-failure", "requeue"]),
                OnFailure::DeadLetter => tool.arguments(&["--on-failure", "dead-letter"]),
            };
            let script = command.script(directory);
            return tool.arguments(&[queue, "--", "sh", "-c", &script]).run();
        }
        if self.to_file {
            tool = tool.output_to(File::create(directory.join("out")).expect("a file"));
        }
        tool.arguments(&[queue]).run()
    }

    /// How many of the existing messages are asked for.
    fn asked(&self) -> usize {
        self.number.unwrap_or(usize::MAX).min(self.count)
    }

    fn status(&self) -> i32 {
        i32::from(self.number.is_some_and(|number| number > self.count))
    }

    fn judge(
        &self,
        vhost: &Vhost<'_>,
        queue: &str,
        directory: &Path,
        ended: &Ended,
    ) -> Result<(), String> {
        let wanted: Vec<u8> =
            (0..self.asked()).flat_map(|index| self.record(queue, index)).collect();
        let file = self.to_file.then(|| fs::read(directory.join("out")).expect("the file"));
        let out = file.as_ref().unwrap_or(&ended.stdout);
        same_bytes("output", out, &wanted)?;
        same("exit status", &ended.status.code(), &Some(self.status()))?;
        self.judge_rest(vhost, queue, self.count - self.asked())
    }

    /// Checks what is left in the queue.
    fn judge_rest(&self, vhost: &Vhost<'_>, queue: &str, rest: usize) -> Result<(), String> {
        let wanted = match self.kind {
            Kind::Stream => return Ok(()),
            Kind::AutoDelete => None,
            _ => Some(rest),
        };
        wait_ready(vhost, queue, wanted)
    }

    fn judge_command(
        &self,
        command: &Command,
        vhost: &Vhost<'_>,
        queue: &str,
        ended: &Ended,
    ) -> Result<(), String> {
        let mut done: Vec<&[u8]> = ended.stdout.split_inclusive(|byte| *byte == b'\n').collect();
        let fails: Vec<usize> = (0..self.asked()).filter(|index| command.fails[*index]).collect();
        if command.jobs > 1 {
            done.sort_unstable();
        }
        let lines = |indexes: Vec<usize>| -> Vec<u8> {
            indexes.into_iter().flat_map(|index| [body(index), vec![b'\n']].concat()).collect()
        };
        let out = done.concat();
        match command.on_failure {
            OnFailure::Stop if !fails.is_empty() => {
                same("exit status", &ended.status.code(), &Some(75))?;
                if command.jobs == 1 {
                    same_bytes("output", &out, &lines((0..fails[0]).collect()))?;
                }
                // No message is both done and left, and none is neither.
                self.judge_rest(vhost, queue, self.count - done.len())
            }
            OnFailure::DeadLetter => {
                same("exit status", &ended.status.code(), &Some(self.status()))?;
                let good = (0..self.asked()).filter(|index| !command.fails[*index]).collect();
                same_bytes("output", &out, &lines(good))?;
                wait_ready(vhost, &format!("{queue}.dead"), Some(fails.len()))?;
                self.judge_rest(vhost, queue, self.count - self.asked())
            }
            // A message that failed is delivered again, after the others.
            OnFailure::Requeue if !fails.is_empty() => {
                same("exit status", &ended.status.code(), &Some(self.status()))?;
                same("messages done", &done.len(), &self.asked())?;
                done.sort_unstable();
                done.dedup();
                same("different messages done", &done.len(), &self.asked())?;
                self.judge_rest(vhost, queue, self.count - self.asked())
            }
            OnFailure::Stop | OnFailure::Requeue => {
                same("exit status", &ended.status.code(), &Some(self.status()))?;
                same_bytes("output", &out, &lines((0..self.asked()).collect()))?;
                self.judge_rest(vhost, queue, self.count - self.asked())
            }
        }
    }

    /// A message in the chosen format.
    fn record(&self, queue: &str, index: usize) -> Vec<u8> {
        let body = body(index);
        let length = u32::try_from(body.len()).expect("a short body");
        let text = String::from_utf8(body.clone()).expect("text");
        match self.framing {
            Framing::Lines => [&body, &b"\n"[..]].concat(),
            Framing::Nul => [&body, &b"\0"[..]].concat(),
            Framing::Length => [&length.to_be_bytes(), &body[..]].concat(),
            Framing::Json => format!(
                "{{\"exchange\":\"\",\"routing_key\":\"{queue}\",\"delivery_mode\":2,\
                 \"body\":\"{text}\"}}\n"
            )
            .into_bytes(),
            Framing::Template => format!("{queue} {length}:{text};").into_bytes(),
        }
    }
}

impl Command {
    fn draw(kind: Kind, count: usize, random: &mut Rng) -> Self {
        let on_failure = match random.usize(..6) {
            0 if kind != Kind::Stream => OnFailure::Requeue,
            1..=3 if kind != Kind::Stream => OnFailure::DeadLetter,
            _ => OnFailure::Stop,
        };
        let failing = one_in(random, 2) && kind != Kind::Stream;
        let chance = if on_failure == OnFailure::Requeue { 40 } else { 10 };
        let fails = (0..count).map(|_| failing && one_in(random, chance)).collect();
        Command { jobs: pick(random, &[1, 1, 3, 8]), on_failure, fails }
    }

    /// Writes the message as a line, or fails if it should: with `requeue`, only the first time.
    fn script(&self, directory: &Path) -> String {
        let failing: Vec<String> = self
            .fails
            .iter()
            .enumerate()
            .filter(|(_, fails)| **fails)
            .map(|(index, _)| String::from_utf8(body(index)).expect("text"))
            .collect();
        if failing.is_empty() {
            return "printf '%s\\n' \"$(cat)\"".to_owned();
        }
        let fail = match self.on_failure {
            OnFailure::Requeue => {
                format!("mkdir \"{}/$body\" 2>/dev/null && exit 1", directory.display())
            }
            _ => "exit 1".to_owned(),
        };
        let failing = failing.join("|");
        format!("body=$(cat); case $body in {failing}) {fail};; esac; printf '%s\\n' \"$body\"")
    }
}

/// Messages of different lengths, in the order of their numbers.
fn body(index: usize) -> Vec<u8> {
    format!("{index:03}{}", "x".repeat(index * 13 % 90)).into_bytes()
}
