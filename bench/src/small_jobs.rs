//! Starting, doing one small thing, and ending, as in a cron job or a shell loop.

use crate::broker::{Broker, tool};
use crate::measure::{Taken, command, median, run_together};
use std::io::Result;
use std::process::Command;

const QUEUE: &str = "bench";

/// Prints the time from start to exit of each tool and of its peer, alternating.
///
/// # Errors
/// When one fails.
pub fn print(broker: &Broker, rounds: usize) -> Result<()> {
    broker.empty(QUEUE, "quorum")?;
    let url = broker.url();
    // Enough for every run that takes one.
    broker.fill(QUEUE, b"hello", 4 * rounds as u64 + 8)?;
    println!("\n| one small job | ms | its peer | ms | ratio |");
    println!("|---|---:|---|---:|---:|");
    let (send, receive, declare) = (tool("rmq-send")?, tool("rmq-recv")?, tool("rmq-declare")?);
    compare(
        rounds,
        ("rmq-send -b hello", &|| command(&send, &["-u", &url, "-b", "hello", QUEUE], None)),
        ("amqp-publish -b hello", &|| {
            command("amqp-publish", &["--url", &url, "-r", QUEUE, "-b", "hello"], None)
        }),
    )?;
    compare(
        rounds,
        ("rmq-recv -n 1", &|| command(&receive, &["-u", &url, "-n", "1", QUEUE], None)),
        ("amqp-get", &|| command("amqp-get", &["--url", &url, "-q", QUEUE], None)),
    )?;
    compare(
        rounds,
        ("rmq-declare --type classic", &|| {
            command(&declare, &["-u", &url, "--type", "classic", "bench-declared"], None)
        }),
        ("amqp-declare-queue -d", &|| {
            command("amqp-declare-queue", &["--url", &url, "-d", "-q", "bench-declared"], None)
        }),
    )
}

/// Prints how much faster rmq-perm is than rabbitmqctl.
///
/// # Errors
/// When one fails.
pub fn print_permissions(broker: &Broker, rounds: usize) -> Result<()> {
    println!("\n| permissions | ms | rabbitmqctl | ms | ratio |");
    println!("|---|---:|---|---:|---:|");
    for (words, theirs) in [
        (&["set", "guest", ".*", ".*", ".*"][..], "set_permissions"),
        (&["list"], "list_permissions"),
        (&["list-queues"], "list_queues"),
    ] {
        let (verb, rest) = words.split_first().unwrap_or((&"", &[]));
        compare(
            rounds,
            (&format!("rmq-perm {verb}"), &|| broker.administer(words)),
            (theirs, &|| broker.control(&[&[theirs], rest].concat())),
        )?;
    }
    Ok(())
}

type Start<'a> = &'a dyn Fn() -> Result<Command>;

fn compare(rounds: usize, ours: (&str, Start<'_>), theirs: (&str, Start<'_>)) -> Result<()> {
    let mut taken = [Vec::new(), Vec::new()];
    for number in 0..=rounds {
        for (taken, start) in taken.iter_mut().zip([ours.1, theirs.1]) {
            // Measuring a job's memory would add to its time.
            let Taken { seconds, .. } = run_together(vec![start()?])?;
            if number > 0 {
                taken.push(seconds * 1e3);
            }
        }
    }
    let [mine, other] = taken.map(median);
    println!("| {} | {mine:.2} | {} | {other:.2} | {:.3} |", ours.0, theirs.0, mine / other);
    Ok(())
}
