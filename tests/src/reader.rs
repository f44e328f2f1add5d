//! A reader who follows a page, command by command, and compares the output with the page.

use crate::document::{Section, Step, sections};
use crate::tool::{Ended, Tool};
use crate::wait::wait_until;
use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::Duration;

/// How long a command without an end may take to do its work.
const LONG: Duration = Duration::from_secs(60);
/// Keeps the shell's variables from one command to the next, as a single shell does.
const STATE: &str = "set -a; [ ! -e .variables ] || . ./.variables; \
                     trap 'export -p > .variables' EXIT; ";

/// What is different about a command, or a whole block, that begins like this.
pub type Unlike = (&'static str, How);

/// How to run something that does not work unchanged.
#[derive(Clone, Copy, Debug)]
pub enum How {
    /// It has no end: Ctrl-C, once this shell command succeeds. Its output is in the file `output`.
    Until(&'static str),
    /// It ends with this exit status.
    Status(i32),
    /// Numbers in its output vary between machines.
    OtherNumbers,
    /// It is not a command, or not for this machine, for this reason.
    Not(&'static str),
}

/// A reader, with a directory to work in.
#[derive(Debug)]
pub struct Reader<'a> {
    /// Where the commands run.
    pub directory: &'a Path,
    /// What is typed in place of a name that is only an example.
    pub names: Vec<(&'static str, String)>,
    /// The environment.
    pub environment: Vec<(&'static str, String)>,
    /// The exceptions.
    pub unlike: &'a [Unlike],
}

impl Reader<'_> {
    /// Follows a page from beginning to end. Each section begins with a new shell.
    ///
    /// # Panics
    /// When a command fails, its output differs, or one of the exceptions is not on the page.
    pub fn follow(&self, page: &str) {
        let sections = sections(page);
        let mut met = vec![false; self.unlike.len()];
        for section in &sections {
            let _ = std::fs::remove_file(self.directory.join(".variables"));
            self.section(page, section, &mut met);
        }
        let unmet: Vec<_> = self.unlike.iter().zip(met).filter(|(_, met)| !met).collect();
        assert!(unmet.is_empty(), "not in {page} any more: {unmet:?}");
    }

    fn section(&self, page: &str, section: &Section, met: &mut [bool]) {
        for block in &section.blocks {
            if let Some(How::Not(_)) = self.how(&block.lines.join("\n"), met) {
                continue;
            }
            for step in block.steps() {
                let how = self.how(&step.command, met);
                eprintln!("{page}:{}: {}", step.line, step.command);
                self.step(page, &step, how);
            }
        }
    }

    fn how(&self, text: &str, met: &mut [bool]) -> Option<How> {
        let index = self.unlike.iter().position(|(begins, _)| text.starts_with(begins))?;
        met[index] = true;
        Some(self.unlike[index].1)
    }

    fn step(&self, page: &str, step: &Step, how: Option<How>) {
        let place = format!("{page}:{}: {}", step.line, step.command);
        let interrupted = step.output.last().is_some_and(|line| line == "^C");
        let shown = &step.output[..step.output.len() - usize::from(interrupted)];
        let ended = match how {
            Some(How::Not(_)) => return,
            Some(How::Until(done)) => {
                self.interrupted(&step.command, |_| self.shell(done).run().status.success())
            }
            _ if interrupted => {
                let bytes = shown.iter().map(|line| line.len() + 1).sum();
                self.interrupted(&step.command, |stdout| stdout.len() >= bytes)
            }
            _ => {
                let ended = self.shell(&self.typed(&step.command)).run();
                let wanted = if let Some(How::Status(wanted)) = how { wanted } else { 0 };
                let status = ended.status;
                assert_eq!(status.code(), Some(wanted), "{place}: {status}: {}", ended.stderr);
                ended
            }
        };
        let numbers_differ = matches!(how, Some(How::OtherNumbers));
        // No page shows a blank at the end of a line.
        let same = |text: &str| {
            let text = text.trim_end();
            if numbers_differ { without_numbers(text) } else { text.to_owned() }
        };
        let came: Vec<String> = String::from_utf8_lossy(&ended.stdout).lines().map(same).collect();
        let shown: Vec<String> = shown.iter().map(|line| same(line)).collect();
        if !shown.is_empty() {
            assert_eq!(came, shown, "{place}: {}", ended.stderr);
        }
    }

    /// Runs a command without an end, and presses Ctrl-C when it is `done`.
    fn interrupted(&self, command: &str, done: impl Fn(&[u8]) -> bool) -> Ended {
        let running = self.shell(&self.typed(command)).start();
        let output = self.directory.join("output");
        wait_until(LONG, &format!("{command}: {}", running.stderr()), || {
            std::fs::write(&output, running.stdout()).expect("write a file");
            done(&running.stdout())
        });
        running.signal(Signal::INT);
        let ended = running.wait();
        let by_it = ended.status.signal() == Some(2)
            || [130, 75, 0].map(Some).contains(&ended.status.code());
        assert!(by_it, "{command}: {}: {}", ended.status, ended.stderr);
        ended
    }

    fn typed(&self, command: &str) -> String {
        let replaced = |text: String, (name, ours): &(&str, String)| text.replace(name, ours);
        self.names.iter().fold(command.to_owned(), replaced)
    }

    fn shell(&self, command: &str) -> Tool {
        let shell = Tool::shell(self.directory, &format!("{STATE}\n{command}"));
        self.environment.iter().fold(shell, |shell, (name, value)| shell.environment(name, value))
    }
}

/// `3.10.8` and `25441` both become `N`.
fn without_numbers(text: &str) -> String {
    let mut shown = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let next_is_digit = letters.peek().is_some_and(char::is_ascii_digit);
        match letter {
            '0'..='9' if shown.ends_with('N') => {}
            '0'..='9' => shown.push('N'),
            '.' if shown.ends_with('N') && next_is_digit => {}
            _ => shown.push(letter),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_what_is_around_them() {
        assert_eq!(without_numbers("rmq1@h\t3.10.8 a@127.0.0.1:567."), "rmqN@h\tN a@N:N.");
    }
}
