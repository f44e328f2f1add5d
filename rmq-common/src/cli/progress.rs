//! `--progress`: shows progress on a terminal, for work that takes longer than a second.

use crate::cli::rates::Rates;
use crate::cli::row::{INSTEAD, Row};
use crate::thread;
use indicatif::{FormattedDuration, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Work that ends sooner shows nothing.
const SHOWN_AFTER: Duration = Duration::from_secs(1);
/// How often the line is redrawn.
const TICK: Duration = Duration::from_millis(250);
/// More often than that nothing is drawn, in times a second.
const DRAWN_AT_MOST: u8 = 20;
/// Numbers of bytes with more digits than this are shown in a larger unit.
const MOST_BYTES: u64 = 9_999;

/// What is shown, so that diagnostics do not write into it.
static SHOWN: Mutex<Shown> = Mutex::new(Shown::Nothing);

enum Shown {
    Nothing,
    /// The tools before and after this one in a pipeline may have a line too.
    Others,
    /// Our line.
    Line(ProgressBar),
}

/// How far the work has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// Messages done.
    pub done: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// What waits: a number and a noun.
    pub waiting: Vec<(u64, &'static str)>,
    /// Bytes that are still to be sent, if known.
    pub behind: u64,
}

/// A line on the terminal, which disappears when this is dropped.
#[derive(Debug, Default)]
pub struct Progress(Option<(flume::Sender<()>, JoinHandle<()>)>);

impl Progress {
    /// If `wanted` and if standard error is a terminal, shows how many messages are `what`
    /// ("confirmed"), according to `pulse`. If the run `prints` messages to a terminal as well,
    /// nothing is shown: they would be mixed with the line, and show the progress themselves.
    pub fn start(
        wanted: bool,
        prints: bool,
        program: &'static str,
        what: &'static str,
        pulse: impl Fn() -> Pulse + Send + 'static,
    ) -> Self {
        let is_shown = wanted && std::io::stderr().is_terminal();
        if !is_shown || (prints && std::io::stdout().is_terminal()) {
            return Progress(None);
        }
        show(Shown::Others);
        let (stop, stopped) = flume::bounded::<()>(0);
        let show_line = move || {
            let begun = Instant::now();
            let mut rates = Rates::default();
            // What was done before the first update counts from here.
            rates.at(begun, [0, 0]);
            let mut shown = None;
            let is_over = |limit| {
                !matches!(stopped.recv_timeout(limit), Err(flume::RecvTimeoutError::Timeout))
            };
            while !is_over(TICK) {
                let pulse = pulse();
                let now = Instant::now();
                let rates = rates.at(now, [pulse.done, pulse.bytes]);
                if begun.elapsed() >= SHOWN_AFTER {
                    let (bar, row) = shown.get_or_insert_with(line);
                    row.rise();
                    let text = text(&pulse, what, rates, begun.elapsed());
                    bar.set_message(format!("{program}: {text}"));
                    bar.tick();
                }
            }
            if let Some((bar, _)) = shown {
                show(Shown::Others);
                bar.finish_and_clear();
            }
        };
        // Without a thread the work goes on all the same.
        Progress(thread::start("progress", show_line).ok().map(|thread| (stop, thread)))
    }
}

/// An empty line on the terminal, and its row.
fn line() -> (ProgressBar, Row) {
    let row = Row::claim();
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(row.clone()), DRAWN_AT_MOST);
    let bar = ProgressBar::with_draw_target(None, target);
    // The template is ours, and a test reads it.
    if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
        bar.set_style(style);
    }
    show(Shown::Line(bar.clone()));
    (bar, row)
}

fn show(shown: Shown) {
    *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = shown;
}

fn text(pulse: &Pulse, what: &str, [rate, bytes]: [u64; 2], elapsed: Duration) -> String {
    let mut text =
        format!("{} {what}, {}/s, {}/s", HumanCount(pulse.done), HumanCount(rate), size(bytes));
    for (count, of) in pulse.waiting.iter().filter(|(count, _)| *count > 0) {
        text.push_str(&format!(", {} {of}", HumanCount(*count)));
    }
    if pulse.behind > 0 {
        text.push_str(&format!(", {} behind", size(pulse.behind)));
    }
    format!("{text}, {}", FormattedDuration(elapsed))
}

/// A number of bytes with at most four digits, without decimals.
fn size(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let mut left = bytes;
    let mut unit = units.iter();
    let mut name = unit.next();
    while left > MOST_BYTES {
        left = left / 1000 + u64::from(left % 1000 >= 500);
        name = unit.next();
    }
    format!("{} {}", HumanCount(left), name.unwrap_or(&"EB"))
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.0.take() {
            drop(stop);
            // The thread ends at once.
            let _ = thread.join();
        }
    }
}

/// Writes a line that stays to standard error, above those that are shown. It is one write, so that
/// lines of several tools in a pipeline do not mix. If standard error itself is gone, nothing can
/// report that.
pub fn aside(line: &str) {
    let write = |before: &str| {
        let _ = std::io::stderr().write_all(format!("{before}{line}").as_bytes());
    };
    match &*SHOWN.lock().unwrap_or_else(PoisonError::into_inner) {
        Shown::Nothing => write(""),
        Shown::Others => write(INSTEAD),
        Shown::Line(bar) => bar.suspend(|| write(INSTEAD)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_whole_numbers_and_what_waits() {
        let waiting = vec![(512, "unconfirmed"), (0, "spooled")];
        let pulse = Pulse { done: 2500, bytes: 10, waiting, behind: 12_345_678 };
        let text = text(&pulse, "confirmed", [1003, 98_304], Duration::from_secs(65));
        let wanted = "2,500 confirmed, 1,003/s, 98 kB/s, 512 unconfirmed, 12 MB behind, 00:01:05";
        assert_eq!(text, wanted);
    }

    #[test]
    fn a_size_has_four_digits_at_most() {
        for (bytes, shown) in [
            (0, "0 B"),
            (9_999, "9,999 B"),
            (10_000, "10 kB"),
            (9_999_499, "9,999 kB"),
            (9_999_500, "10 MB"),
            (u64::MAX, "18 EB"),
        ] {
            assert_eq!(size(bytes), shown);
        }
    }
}
