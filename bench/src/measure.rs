//! Runs a command and measures the resources it takes.

use nix::sys::resource::{Usage, UsageWho, getrusage};
use std::fs::File;
use std::io::Result;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The resources that a run took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Taken {
    /// From its start to its end, in seconds.
    pub seconds: f64,
    /// Processor time, its own and the kernel's for it, in seconds.
    pub processor: f64,
    /// Its peak memory, in MiB.
    pub mebibytes: f64,
}

/// Runs `command` to its end, and then `settle`, which waits for what the command left to other
/// processes, and returns when that was done: its time counts, its processor time does not.
///
/// # Errors
/// When it cannot be started, or fails.
pub fn run(mut command: Command, settle: impl FnOnce() -> Result<Instant>) -> Result<Taken> {
    let before = processor()?;
    let begun = Instant::now();
    let mut child = command.spawn()?;
    let mut mebibytes = 0.0;
    let status = loop {
        // The kernel knows the peak only until the process is gone, so the last value before
        // counts.
        mebibytes = peak(&child).unwrap_or(mebibytes);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let seconds = settle()?.duration_since(begun).as_secs_f64();
    if !status.success() {
        return Err(std::io::Error::other(format!("{command:?}: {status}")));
    }
    Ok(Taken { seconds, processor: processor()? - before, mebibytes })
}

/// For a command that leaves nothing to others: it is done when it has ended.
///
/// # Errors
/// Never.
pub fn at_its_end() -> Result<Instant> {
    Ok(Instant::now())
}

/// Runs several commands at once, as [`run`] does one; their memory is not measured.
///
/// # Errors
/// When one cannot be started, or fails.
pub fn run_together(commands: Vec<Command>) -> Result<Taken> {
    let before = processor()?;
    let begun = Instant::now();
    let children = commands.into_iter().map(|mut command| command.spawn());
    for child in children.collect::<Result<Vec<_>>>()? {
        let output = child.wait_with_output()?;
        if !output.status.success() {
            return Err(std::io::Error::other(format!("{}", output.status)));
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    Ok(Taken { seconds, processor: processor()? - before, mebibytes: 0.0 })
}

/// A command that reads `input`, discards its output, and reports errors on standard error.
///
/// # Errors
/// When `input` does not exist.
pub fn command(program: &str, words: &[&str], input: Option<&Path>) -> Result<Command> {
    let mut command = Command::new(program);
    command.args(words).stdout(Stdio::null());
    command.stdin(match input {
        Some(path) => File::open(path)?.into(),
        None => Stdio::null(),
    });
    Ok(command)
}

/// The middle value.
pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The value that a hundredth of them exceed.
pub fn percentile_99(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() * 99 / 100).copied().unwrap_or(f64::NAN)
}

/// The median of each part.
pub fn medians(taken: &[Taken]) -> Taken {
    let of = |part: fn(&Taken) -> f64| median(taken.iter().map(part).collect());
    Taken {
        seconds: of(|taken| taken.seconds),
        processor: of(|taken| taken.processor),
        mebibytes: of(|taken| taken.mebibytes),
    }
}

fn processor() -> Result<f64> {
    let usage: Usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds =
        |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1_000_000.0;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

fn peak(child: &Child) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok().map(|kibibytes| kibibytes / 1024.0)
}
