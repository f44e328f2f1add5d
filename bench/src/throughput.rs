//! Messages into and out of a queue, compared with the peers, alternating, on the same broker.

use crate::broker::{Broker, tool};
use crate::measure::{Taken, at_its_end, command, medians, run};
use std::fs;
use std::io::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

const QUEUE: &str = "bench";

/// What is measured: a number of messages of one size, into or out of one kind of queue.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// `quorum` or `classic`.
    pub kind: &'static str,
    /// Bytes of a body.
    pub size: usize,
    /// How many messages.
    pub count: u64,
}

/// A program that sends or receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contender {
    Ceiling,
    Ours,
    OursInAPipe,
    AmqpTools,
    Pika,
    OursByTls,
    AmqpToolsByTls,
}

impl Contender {
    /// Slow ones get less to do; what is compared is messages per second.
    fn share(self, count: u64, receiving: bool) -> u64 {
        match self {
            Contender::AmqpTools if receiving => (count / 100).max(20),
            Contender::Pika => (count / 10).max(20),
            _ => count,
        }
    }
}

/// A line of the table.
#[derive(Debug)]
struct Line {
    name: &'static str,
    per_second: f64,
    microseconds: f64,
    mebibytes: f64,
}

/// Prints how fast each program sends.
///
/// # Errors
/// When a program fails.
pub fn sending(broker: &Broker, case: Case, rounds: usize, work: &Path) -> Result<()> {
    use Contender::{AmqpTools, Ceiling, Ours, Pika};
    let contenders = [
        (Ceiling, "the wire's ceiling"),
        (Ours, "rmq-send"),
        (AmqpTools, "amqp-publish -l, unconfirmed"),
        (Pika, "pika, unconfirmed"),
    ];
    print_sending(broker, case, rounds, work, (&contenders, "of the ceiling"))
}

/// Prints how fast each program receives.
///
/// # Errors
/// When a program fails.
pub fn receiving(broker: &Broker, case: Case, rounds: usize, work: &Path) -> Result<()> {
    use Contender::{AmqpTools, Ceiling, Ours, OursInAPipe, Pika};
    let contenders = [
        (Ceiling, "the wire's ceiling"),
        (Ours, "rmq-recv > file"),
        (OursInAPipe, "rmq-recv \\| cat"),
        (AmqpTools, "amqp-consume cat"),
        (Pika, "pika, unacknowledged"),
    ];
    print_receiving(broker, case, rounds, work, (&contenders, "of the ceiling"))
}

/// Prints how fast rmq-send and rmq-recv are with TLS, beside themselves without and amqp-publish
/// with it.
///
/// # Errors
/// When a program fails.
pub fn by_tls(broker: &Broker, case: Case, rounds: usize, work: &Path) -> Result<()> {
    use Contender::{AmqpToolsByTls, Ours, OursByTls};
    let contenders = [
        (Ours, "rmq-send, without TLS"),
        (OursByTls, "rmq-send"),
        (AmqpToolsByTls, "amqp-publish -l, unconfirmed"),
    ];
    print_sending(broker, case, rounds, work, (&contenders, "of that"))?;
    let contenders = [(Ours, "rmq-recv > file, without TLS"), (OursByTls, "rmq-recv > file")];
    print_receiving(broker, case, rounds, work, (&contenders, "of that"))
}

fn print_sending(
    broker: &Broker,
    case: Case,
    rounds: usize,
    work: &Path,
    (contenders, of_first): (&[(Contender, &'static str)], &str),
) -> Result<()> {
    let lines = alternate(contenders, rounds, |contender| {
        let count = contender.share(case.count, false);
        broker.empty(QUEUE, case.kind)?;
        let input = input(work, case.size, count)?;
        let command = sender(broker, contender, case.size, count, &input)?;
        let taken = run(command, || match contender {
            Contender::Ceiling | Contender::Ours | Contender::OursByTls => at_its_end(),
            _ => broker.await_ready(QUEUE, count),
        })?;
        Ok((taken, count))
    })?;
    print(&format!("into a {} queue, {}", case.kind, in_words(case.size)), of_first, &lines);
    Ok(())
}

fn print_receiving(
    broker: &Broker,
    case: Case,
    rounds: usize,
    work: &Path,
    (contenders, of_first): (&[(Contender, &'static str)], &str),
) -> Result<()> {
    let body = body(case.size);
    let lines = alternate(contenders, rounds, |contender| {
        let count = contender.share(case.count, true);
        broker.empty(QUEUE, case.kind)?;
        broker.fill(QUEUE, &body, count)?;
        let taken = run(receiver(broker, contender, count, work)?, at_its_end)?;
        Ok((taken, count))
    })?;
    print(&format!("out of a {} queue, {}", case.kind, in_words(case.size)), of_first, &lines);
    Ok(())
}

fn sender(
    broker: &Broker,
    contender: Contender,
    size: usize,
    count: u64,
    input: &Path,
) -> Result<Command> {
    let (url, address) = (broker.url(), broker.address());
    match contender {
        Contender::Ceiling => {
            let (size, count) = (size.to_string(), count.to_string());
            let words = ["ceiling-send", &address, QUEUE, &size, &count];
            command(&tool("rmq-bench")?, &words, None)
        }
        Contender::AmqpTools => {
            command("amqp-publish", &["--url", &url, "-r", QUEUE, "-p", "-l"], Some(input))
        }
        Contender::Pika => {
            let script = peer("send.py");
            let words = [script.as_str(), "127.0.0.1", broker.port(), QUEUE];
            command("/usr/bin/python3", &words, Some(input))
        }
        Contender::OursByTls => {
            let [url, authority] = tls(broker)?;
            let words = ["--url", &url, "--cacert", &authority, "--quiet", QUEUE];
            command(&tool("rmq-send")?, &words, Some(input))
        }
        Contender::AmqpToolsByTls => {
            let [url, authority] = tls(broker)?;
            // Its library does not compare addresses with a certificate.
            let url = url.replace("127.0.0.1", "localhost");
            let words = ["--url", &url, "--cacert", &authority, "-r", QUEUE, "-p", "-l"];
            command("amqp-publish", &words, Some(input))
        }
        _ => command(&tool("rmq-send")?, &["--url", &url, "--quiet", QUEUE], Some(input)),
    }
}

fn receiver(broker: &Broker, contender: Contender, count: u64, work: &Path) -> Result<Command> {
    let (url, address, count) = (broker.url(), broker.address(), count.to_string());
    let ours = tool("rmq-recv")?;
    let mut command = match contender {
        Contender::Ceiling => {
            command(&tool("rmq-bench")?, &["ceiling-receive", &address, QUEUE, &count], None)?
        }
        Contender::OursByTls => {
            let [url, authority] = tls(broker)?;
            let words = ["--url", &url, "--cacert", &authority, "-n", &count, QUEUE];
            command(&ours, &words, None)?
        }
        Contender::OursInAPipe => {
            let pipeline = "\"$1\" --url \"$2\" -n \"$3\" \"$4\" | cat";
            return command("sh", &["-c", pipeline, "sh", &ours, &url, &count, QUEUE], None);
        }
        Contender::AmqpTools => {
            let words = ["--url", &url, "-q", QUEUE, "-c", &count, "cat"];
            command("amqp-consume", &words, None)?
        }
        Contender::Pika => {
            let script = peer("receive.py");
            let words = [script.as_str(), "127.0.0.1", broker.port(), QUEUE, &count];
            command("/usr/bin/python3", &words, None)?
        }
        _ => command(&ours, &["--url", &url, "-n", &count, QUEUE], None)?,
    };
    command.stdout(fs::File::create(work.join("output"))?);
    Ok(command)
}

/// Runs all in turn, this many times, after one round that does not count.
fn alternate(
    contenders: &[(Contender, &'static str)],
    rounds: usize,
    mut round: impl FnMut(Contender) -> Result<(Taken, u64)>,
) -> Result<Vec<Line>> {
    let mut taken = vec![Vec::new(); contenders.len()];
    let mut counts = vec![1; contenders.len()];
    for number in 0..=rounds {
        for (index, (contender, _)) in contenders.iter().enumerate() {
            let (one, count) = round(*contender)?;
            if number > 0 {
                taken[index].push(one);
                counts[index] = count;
            }
        }
    }
    let lines = contenders.iter().zip(&taken).zip(&counts).map(|(((_, name), taken), &count)| {
        let Taken { seconds, processor, mebibytes } = medians(taken);
        let count = count as f64;
        let (per_second, microseconds) = (count / seconds, processor * 1e6 / count);
        Line { name, per_second, microseconds, mebibytes }
    });
    Ok(lines.collect())
}

fn tls(broker: &Broker) -> Result<[String; 2]> {
    broker.tls().ok_or_else(|| std::io::Error::other("the broker does not speak TLS"))
}

/// The first line is the reference for the others.
fn print(what: &str, of_first: &str, lines: &[Line]) {
    println!("\n| {what} | messages/s | {of_first} | processor, µs/message | peak, MiB |");
    println!("|---|---:|---:|---:|---:|");
    let ceiling = lines.first().map_or(f64::NAN, |line| line.per_second);
    for Line { name, per_second, microseconds, mebibytes } in lines {
        let ratio = per_second / ceiling;
        println!("| {name} | {per_second:.0} | {ratio:.3} | {microseconds:.1} | {mebibytes:.1} |");
    }
}

/// A file of `count` lines of `size` bytes each.
///
/// # Errors
/// When it cannot be written.
pub fn input(work: &Path, size: usize, count: u64) -> Result<PathBuf> {
    let path = work.join(format!("{size}x{count}"));
    if !path.exists() {
        let mut line = body(size);
        line.push(b'\n');
        let mut file = std::io::BufWriter::new(fs::File::create(&path)?);
        for _ in 0..count {
            std::io::Write::write_all(&mut file, &line)?;
        }
    }
    Ok(path)
}

/// A body of `size` bytes.
fn body(size: usize) -> Vec<u8> {
    vec![b'x'; size]
}

/// The path of a peer's script.
fn peer(name: &str) -> String {
    format!("{}/peers/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn in_words(size: usize) -> String {
    match size {
        0..1024 => format!("{size} B"),
        1024..1_048_576 => format!("{} KiB", size / 1024),
        _ => format!("{} MiB", size / 1_048_576),
    }
}
