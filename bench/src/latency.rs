//! The time from a line on rmq-send's standard input through a queue to rmq-recv's standard output,
//! compared with a bare client's round trip.

use crate::broker::{Broker, tool};
use crate::measure::{median, percentile_99};
use crate::wire::Wire;
use std::io::{BufRead, BufReader, Error, Result, Write};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

const QUEUE: &str = "bench-latency";

/// Prints medians and 99th percentiles, on an idle broker, and with another queue under load.
///
/// # Errors
/// When a program fails.
pub fn print(broker: &Broker, count: u64) -> Result<()> {
    println!("\n| line in to line out, ms | median | of the ceiling | 99th percentile |");
    println!("|---|---:|---:|---:|");
    let idle = of_both(broker, "idle", count);
    broker.empty("bench-load", "quorum")?;
    let mut load = load(broker)?;
    let loaded = of_both(broker, "beside a full load", count);
    for child in &mut load {
        child.kill()?;
        child.wait()?;
    }
    idle.and(loaded)
}

fn of_both(broker: &Broker, when: &str, count: u64) -> Result<()> {
    broker.empty(QUEUE, "quorum")?;
    let mut wire = Wire::connect(&broker.address())?;
    wire.consume(QUEUE, 100)?;
    let ceiling = wire.round_trips(QUEUE, b"hello", count)?;
    drop(wire);
    broker.empty(QUEUE, "quorum")?;
    let ours = round_trips(broker, count)?;
    let milliseconds = |seconds: f64| seconds * 1e3;
    let bare = milliseconds(median(ceiling.clone()));
    let worst = milliseconds(percentile_99(ceiling));
    println!("| a bare client, {when} | {bare:.3} | 1 | {worst:.3} |");
    let (middle, worst) = (milliseconds(median(ours.clone())), milliseconds(percentile_99(ours)));
    let ratio = middle / bare;
    println!("| rmq-send to rmq-recv, {when} | {middle:.3} | {ratio:.2} | {worst:.3} |");
    Ok(())
}

fn round_trips(broker: &Broker, count: u64) -> Result<Vec<f64>> {
    let url = broker.url();
    let mut receiving =
        Command::new(tool("rmq-recv")?).args(["-u", &url, QUEUE]).stdout(Stdio::piped()).spawn()?;
    let mut sending = Command::new(tool("rmq-send")?)
        .args(["-u", &url, "--quiet", QUEUE])
        .stdin(Stdio::piped())
        .spawn()?;
    let gone = || Error::other("a pipe is missing");
    let mut output = BufReader::new(receiving.stdout.take().ok_or_else(gone)?);
    let mut input = sending.stdin.take().ok_or_else(gone)?;
    let (mut seconds, mut line) = (Vec::new(), String::new());
    // The first trip includes connecting, so it does not count.
    for number in 0..=count {
        let begun = Instant::now();
        input.write_all(b"hello\n")?;
        line.clear();
        output.read_line(&mut line)?;
        if number > 0 {
            seconds.push(begun.elapsed().as_secs_f64());
        }
    }
    drop(input);
    sending.wait()?;
    receiving.kill()?;
    receiving.wait()?;
    Ok(seconds)
}

fn load(broker: &Broker) -> Result<Vec<Child>> {
    let url = broker.url();
    let words = ["-u", &url, "--quiet", "bench-load"];
    let mut lines =
        Command::new("yes").arg("some load, over and over").stdout(Stdio::piped()).spawn()?;
    let output = lines.stdout.take().ok_or_else(|| Error::other("a pipe is missing"))?;
    let sending = Command::new(tool("rmq-send")?).args(words).stdin(output).spawn()?;
    let receiving = Command::new(tool("rmq-recv")?).args(words).stdout(Stdio::null()).spawn()?;
    Ok(vec![lines, sending, receiving])
}
