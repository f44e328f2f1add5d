//! The speed of the tools, compared with the wire's own ceiling, amqp-tools, pika and rabbitmqctl,
//! on the same broker and input, alternating, as medians and ratios. `make bench` runs all.
#![expect(clippy::print_stdout, reason = "tables are what this program is for")]
#![expect(clippy::print_stderr, reason = "and this is how far it has come")]

mod broker;
mod frames;
mod latency;
mod measure;
mod scaling;
mod small_jobs;
mod throughput;
mod wire;

use argh::FromArgs;
use broker::Broker;
use std::io::Result;
use std::process::ExitCode;
use throughput::Case;
use wire::Wire;

/// Measure rmq-send, rmq-recv, rmq-declare and rmq-perm beside their peers.
#[derive(FromArgs)]
struct Arguments {
    /// a part of it: small, latency, throughput, pinned, tls, cluster, scaling (default: all)
    #[argh(option)]
    only: Option<String>,

    /// rounds that count (default: 5)
    #[argh(option, default = "5")]
    rounds: usize,

    /// messages of a run, of up to 1 KiB (default: 100000)
    #[argh(option, default = "100_000")]
    count: u64,

    /// release of RabbitMQ (default: 3.10)
    #[argh(option, default = "String::from(\"3.10\")")]
    release: String,

    /// what a run of the ceiling is told by its parent: ceiling-send ADDRESS QUEUE SIZE COUNT, or
    /// ceiling-receive ADDRESS QUEUE COUNT
    #[argh(positional)]
    ceiling: Vec<String>,
}

fn main() -> ExitCode {
    let arguments: Arguments = argh::from_env();
    let ended = match &arguments.ceiling[..] {
        [] => measure_all(&arguments),
        words => ceiling(words),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Reports progress or a problem on standard error; standard output is for the tables.
fn tell(what: &str) {
    eprintln!("rmq-bench: {what}");
}

fn measure_all(arguments: &Arguments) -> Result<()> {
    let Arguments { only, rounds, count, release, .. } = arguments;
    let wanted = |part: &str| only.as_deref().is_none_or(|only| only == part);
    let directory = tempfile::tempdir()?;
    let work = directory.path();
    let sizes = [10, 100, 1024, 64 << 10, 1 << 20];
    let quorum = sizes.map(|size| case("quorum", size, *count));
    let classic = [case("classic", 100, *count)];
    let cases: Vec<Case> = quorum.into_iter().chain(classic).collect();
    let one = ["small", "latency", "throughput", "scaling"].iter().any(|part| wanted(part));
    if one {
        let broker = Broker::up(1, release);
        println!("{}.", broker.described());
        if wanted("small") {
            tell("small jobs");
            small_jobs::print(&broker, rounds * 8)?;
            small_jobs::print_permissions(&broker, *rounds)?;
        }
        if wanted("latency") {
            tell("latency");
            latency::print(&broker, 1000)?;
        }
        if wanted("throughput") {
            println!("\n### One node");
            for case in &cases {
                tell(&format!("one node, {case:?}"));
                throughput::sending(&broker, *case, *rounds, work)?;
                throughput::receiving(&broker, *case, *rounds, work)?;
            }
        }
        if wanted("scaling") {
            tell("scaling");
            scaling::processes(&broker, *count, *rounds, work)?;
            scaling::windows(&broker, *count, *rounds, work)?;
            scaling::backlog(&broker, 10 * count, work)?;
        }
    }
    if wanted("tls") {
        let broker = Broker::secured();
        println!("\n### By TLS");
        for size in [100, 64 << 10] {
            let case = case("quorum", size, *count);
            tell(&format!("by TLS, {case:?}"));
            throughput::by_tls(&broker, case, *rounds, work)?;
        }
    }
    if wanted("cluster") {
        let broker = Broker::up(3, release);
        if !one {
            println!("{}.", broker.described());
        }
        println!("\n### Three nodes");
        for case in &cases {
            tell(&format!("three nodes, {case:?}"));
            throughput::sending(&broker, *case, *rounds, work)?;
            throughput::receiving(&broker, *case, *rounds, work)?;
        }
    }
    // Last, because the processes stay pinned.
    if wanted("pinned") {
        let broker = Broker::up(1, release);
        broker.pin()?;
        println!("\n### One node on a processor of its own");
        for case in &quorum {
            tell(&format!("pinned, {case:?}"));
            throughput::sending(&broker, *case, *rounds, work)?;
            throughput::receiving(&broker, *case, *rounds, work)?;
        }
    }
    Ok(())
}

/// Enough messages for a run of some seconds.
fn case(kind: &'static str, size: usize, count: u64) -> Case {
    let count = match size {
        0..10_000 => count,
        10_000..1_000_000 => count / 25,
        _ => count / 500,
    };
    Case { kind, size, count: count.max(1) }
}

fn ceiling(words: &[String]) -> Result<()> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().map_err(std::io::Error::other);
    match words[..] {
        ["ceiling-send", address, queue, size, count] => {
            let body = vec![b'x'; number(size)? as usize];
            Wire::connect(address)?.publish(queue, &body, number(count)?)
        }
        ["ceiling-receive", address, queue, count] => {
            let mut wire = Wire::connect(address)?;
            wire.consume(queue, 1000)?;
            wire.receive(number(count)?, std::io::stdout().lock())
        }
        _ => Err(std::io::Error::other(format!("no such run: {words:?}"))),
    }
}
