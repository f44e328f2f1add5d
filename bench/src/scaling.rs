//! The effect of several processes, a larger window and a longer backlog.

use crate::broker::{Broker, tool};
use crate::measure::{at_its_end, command, medians, run, run_together};
use crate::throughput::input;
use std::io::Result;
use std::path::Path;
use std::process::Command;

const SIZE: usize = 100;

/// Prints the throughput of several rmq-send and rmq-recv, on one queue and on a queue each.
///
/// # Errors
/// When one fails.
pub fn processes(broker: &Broker, count: u64, rounds: usize, work: &Path) -> Result<()> {
    println!(
        "\n| processes | to one queue, messages/s | to a queue each | from one | from a queue each |"
    );
    println!("|---:|---:|---:|---:|---:|");
    for processes in [1, 2, 4] {
        let each = count / processes;
        let lines = input(work, SIZE, each)?;
        let mut rates = Vec::new();
        for apart in [false, true] {
            let queue = |number: u64| format!("bench{}", if apart { number } else { 0 });
            let (mut sent, mut received) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                for number in 0..processes {
                    broker.empty(&queue(number), "quorum")?;
                }
                let all = (0..processes).map(|number| sender(broker, &queue(number), &lines, None));
                sent.push(run_together(all.collect::<Result<_>>()?)?);
                let all = (0..processes).map(|number| receiver(broker, &queue(number)));
                received.push(run_together(all.collect::<Result<_>>()?)?);
            }
            let rate = |taken: &[_]| (each * processes) as f64 / medians(taken).seconds;
            rates.push((rate(&sent), rate(&received)));
        }
        if let [(to_one, from_one), (to_each, from_each)] = rates[..] {
            println!(
                "| {processes} | {to_one:.0} | {to_each:.0} | {from_one:.0} | {from_each:.0} |"
            );
        }
    }
    Ok(())
}

/// Prints the cost of a message for different confirm windows.
///
/// # Errors
/// When a run fails.
pub fn windows(broker: &Broker, count: u64, rounds: usize, work: &Path) -> Result<()> {
    println!("\n| rmq-send --window | messages/s | processor, µs/message | peak, MiB |");
    println!("|---:|---:|---:|---:|");
    let lines = input(work, SIZE, count)?;
    for window in ["16", "64", "256", "1024", "4096", "16384", "65535"] {
        let mut taken = Vec::new();
        for _ in 0..rounds {
            broker.empty("bench", "quorum")?;
            taken.push(run(sender(broker, "bench", &lines, Some(window))?, at_its_end)?);
        }
        let taken = medians(&taken);
        let (rate, cost) = (count as f64 / taken.seconds, taken.processor * 1e6 / count as f64);
        println!("| {window} | {rate:.0} | {cost:.1} | {:.1} |", taken.mebibytes);
    }
    Ok(())
}

/// Prints the cost of a message as a queue grows, and as it is emptied.
///
/// # Errors
/// When a run fails.
pub fn backlog(broker: &Broker, most: u64, work: &Path) -> Result<()> {
    const STEPS: u64 = 10;
    println!("\n| already in the queue | sent, messages/s | processor, µs/message |");
    println!("|---:|---:|---:|");
    let each = most / STEPS;
    let lines = input(work, SIZE, each)?;
    broker.empty("bench", "quorum")?;
    for step in 0..STEPS {
        let taken = run(sender(broker, "bench", &lines, None)?, at_its_end)?;
        let (rate, cost) = (each as f64 / taken.seconds, taken.processor * 1e6 / each as f64);
        println!("| {} | {rate:.0} | {cost:.1} |", step * each);
    }
    let taken = run(receiver(broker, "bench")?, at_its_end)?;
    let rate = most as f64 / taken.seconds;
    println!(
        "\nrmq-recv then took all {most} at {rate:.0} messages/s in {:.1} MiB.",
        taken.mebibytes
    );
    Ok(())
}

fn sender(broker: &Broker, queue: &str, lines: &Path, window: Option<&str>) -> Result<Command> {
    let url = broker.url();
    let mut words = vec!["--url", &url, "--quiet"];
    if let Some(window) = window {
        words.extend(["--window", window]);
    }
    words.push(queue);
    command(&tool("rmq-send")?, &words, Some(lines))
}

fn receiver(broker: &Broker, queue: &str) -> Result<Command> {
    command(&tool("rmq-recv")?, &["--url", &broker.url(), "--drain", queue], None)
}
