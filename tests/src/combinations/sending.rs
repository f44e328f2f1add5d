//! What rmq-send promises: which records are in the queue, in `--rejects` and `--tee`, the exit
//! status.

use super::{Kind, lengths, one_in, pick, same, same_bytes, told, wait_ready};
use crate::tool::Ended;
use crate::vhost::Vhost;
use fastrand::Rng;
use std::fs;
use std::path::Path;

/// Larger bodies are too long; all others are shorter.
const MAX_SIZE: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Lines,
    Nul,
    Length,
    Json,
    /// A routing key, a tab and the body on each line.
    Keyed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    TooLong,
    /// Not an envelope, or a line without a routing key.
    Malformed,
    /// No queue takes it.
    Unroutable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeper {
    Nothing,
    Rejects,
    Spool,
}

#[derive(Clone, Debug)]
struct Record {
    body: Vec<u8>,
    flaw: Option<Flaw>,
}

/// A command line of rmq-send with its input.
#[derive(Clone, Debug)]
pub struct Sending {
    kind: Kind,
    framing: Framing,
    records: Vec<Record>,
    /// How many files the input consists of; with none, it is standard input.
    files: usize,
    keeper: Keeper,
    tee: bool,
    allow_unroutable: bool,
    options: Vec<String>,
}

impl Sending {
    /// A random one.
    pub fn draw(random: &mut Rng) -> Self {
        use Framing::{Json, Keyed, Length, Lines, Nul};
        let framing = pick(random, &[Lines, Lines, Nul, Length, Json, Keyed]);
        let keeper = match random.usize(..4) {
            0 | 1 => Keeper::Nothing,
            2 => Keeper::Rejects,
            _ => Keeper::Spool,
        };
        let flawed = one_in(random, 2);
        let records = (0..random.usize(..60))
            .map(|_| {
                let flaw = (flawed && one_in(random, 12)).then(|| flaw(framing, random)).flatten();
                Record { body: body(framing, flaw, random), flaw }
            })
            .collect();
        let mut options = Vec::new();
        for (words, chance) in [
            (&["--window", "1"][..], 8),
            (&["--window", "3"], 8),
            (&["--message-id", "auto"], 4),
            (&["-H", "a=1", "-H", "b:int=2"], 4),
            (&["--content-type", "text/plain"], 4),
            (&["--transient"], 4),
            (&["--timestamp", "--priority", "3"], 4),
            (&["--retry", "10s"], 4),
            (&["-v"], 3),
        ] {
            let again = options.iter().any(|option| option == words[0]);
            if one_in(random, chance) && !again {
                options.extend(words.iter().map(|word| (*word).to_owned()));
            }
        }
        Sending {
            kind: Kind::random(random),
            framing,
            records,
            files: if one_in(random, 3) { random.usize(1..4) } else { 0 },
            keeper,
            tee: keeper != Keeper::Spool && one_in(random, 2),
            allow_unroutable: one_in(random, 3),
            options,
        }
    }

    /// Runs it on a queue of its own, and compares the result with the page.
    ///
    /// # Errors
    /// What differs, with the command line.
    pub fn check(&self, vhost: &Vhost<'_>, number: usize) -> Result<(), String> {
        let queue = format!("s{number}");
        vhost.declare(self.kind.options(), &queue);
        let directory = tempfile::tempdir().expect("a directory");
        let ended = self.run(vhost, &queue, directory.path());
        let judged = self.judge(vhost, &queue, directory.path(), &ended);
        judged.map_err(|why| told(&ended, &format!("{:?}: {why}", self.kind)))
    }

    fn run(&self, vhost: &Vhost<'_>, queue: &str, directory: &Path) -> Ended {
        let mut words = self.options.clone();
        let mut add = |more: &[&str]| words.extend(more.iter().map(|word| (*word).to_owned()));
        add(&["--max-size", &MAX_SIZE.to_string()]);
        match self.framing {
            Framing::Lines => {}
            Framing::Nul => add(&["-0"]),
            Framing::Length => add(&["--format", "length"]),
            Framing::Json => add(&["--format", "json"]),
            Framing::Keyed => add(&["-K", "\\t", "--routed"]),
        }
        let path = |name: &str| directory.join(name).to_str().expect("UTF-8").to_owned();
        match self.keeper {
            Keeper::Nothing => {}
            Keeper::Rejects => add(&["--rejects", &path("rejects")]),
            Keeper::Spool => add(&["--spool", &path("spool")]),
        }
        if self.tee {
            add(&["--tee"]);
        }
        if self.allow_unroutable {
            add(&["--allow-unroutable"]);
        }
        if self.framing != Framing::Keyed {
            add(&[queue]);
        }
        let all: Vec<Vec<u8>> = self.records.iter().map(|record| self.raw(record, queue)).collect();
        let mut input = all.concat();
        if self.files > 0 {
            let part = all.len().div_ceil(self.files).max(1);
            for index in 0..self.files {
                let from = (index * part).min(all.len());
                let name = path(&format!("input{index}"));
                fs::write(&name, all[from..(from + part).min(all.len())].concat()).expect("a file");
                add(&[&name]);
            }
            input.clear();
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        vhost.send(&words).input(input).run()
    }

    fn judge(
        &self,
        vhost: &Vhost<'_>,
        queue: &str,
        directory: &Path,
        ended: &Ended,
    ) -> Result<(), String> {
        let first = self.records.iter().position(|record| self.fails(record));
        same("exit status", &ended.status.code(), &Some(if first.is_some() { 65 } else { 0 }))?;
        let arrived = self.arrived(vhost, queue)?;
        let good: Vec<&Record> = self.records.iter().filter(|record| !self.fails(record)).collect();
        let sent = match (self.keeper, first) {
            (Keeper::Nothing, Some(first)) => self.up_to(first, arrived.len()),
            _ => good,
        };
        let bodies: Vec<&[u8]> = sent
            .iter()
            .filter(|record| self.arrives(record))
            .map(|record| &record.body[..])
            .collect();
        same("how many are in the queue", &arrived.len(), &bodies.len())?;
        same_bytes("bodies in the queue", &arrived.concat(), &bodies.concat())?;
        if self.tee {
            let raw: Vec<u8> = sent.iter().flat_map(|record| self.raw(record, queue)).collect();
            same_bytes("--tee", &ended.stdout, &raw)?;
        }
        if self.keeper == Keeper::Rejects {
            let rejected = self.records.iter().filter(|record| self.fails(record));
            let raw: Vec<u8> = rejected.flat_map(|record| self.raw(record, queue)).collect();
            let kept = fs::read(directory.join("rejects")).unwrap_or_default();
            same_bytes("--rejects", &kept, &raw)?;
        }
        if self.keeper == Keeper::Spool {
            let kept = fs::read(directory.join("spool/rejected")).unwrap_or_default();
            same("whether the spool has rejected something", &kept.is_empty(), &first.is_none())?;
        }
        Ok(())
    }

    /// The records that are sent if the one numbered `first` ends the run: those before it and, if
    /// it is unroutable, those after it that were on their way.
    fn up_to(&self, first: usize, arrived: usize) -> Vec<&Record> {
        let on_their_way = match self.records[first].flaw {
            Some(Flaw::Unroutable) => {
                let local =
                    |record: &Record| matches!(record.flaw, Some(Flaw::TooLong | Flaw::Malformed));
                self.records.iter().position(local).unwrap_or(self.records.len())
            }
            _ => first,
        };
        let good = |record: &&Record| !self.fails(record);
        let before = self.records[..first].iter().filter(good).count();
        let may = self.records[..on_their_way].iter().filter(good).collect::<Vec<_>>();
        let sent = if on_their_way == first { before } else { arrived.max(before) };
        may.into_iter().take(sent).collect()
    }

    /// What is in the queue now.
    fn arrived(&self, vhost: &Vhost<'_>, queue: &str) -> Result<Vec<Vec<u8>>, String> {
        let words: &[&str] = match self.kind {
            Kind::Stream => &["--offset", "first", "--drain"],
            _ => &["--drain"],
        };
        let received = vhost.receive(words).arguments(&["--format", "length", queue]).run();
        if received.status.code() != Some(0) {
            return Err(told(&received, "reading what was sent"));
        }
        if self.kind != Kind::AutoDelete && !self.kind.keeps() {
            wait_ready(vhost, queue, Some(0))?;
        }
        Ok(lengths(&received.stdout))
    }

    fn fails(&self, record: &Record) -> bool {
        match record.flaw {
            None => false,
            Some(Flaw::Unroutable) => !self.allow_unroutable,
            Some(_) => true,
        }
    }

    fn arrives(&self, record: &Record) -> bool {
        record.flaw.is_none()
    }

    /// A record as it is in the input.
    fn raw(&self, record: &Record, queue: &str) -> Vec<u8> {
        let Record { body, flaw } = record;
        let malformed = *flaw == Some(Flaw::Malformed);
        match self.framing {
            Framing::Lines => [body, &b"\n"[..]].concat(),
            Framing::Nul => [body, &b"\0"[..]].concat(),
            Framing::Length => {
                let length = u32::try_from(body.len()).expect("a short body");
                [&length.to_be_bytes(), &body[..]].concat()
            }
            Framing::Json if malformed => [&b"{\"body\":"[..], body, b"\n"].concat(),
            Framing::Json => [&b"{\"body\":\""[..], body, b"\"}\n"].concat(),
            Framing::Keyed if malformed => [body, &b"\n"[..]].concat(),
            Framing::Keyed => {
                let key = if *flaw == Some(Flaw::Unroutable) { "nowhere" } else { queue };
                [key.as_bytes(), b"\t", body, b"\n"].concat()
            }
        }
    }
}

fn flaw(framing: Framing, random: &mut Rng) -> Option<Flaw> {
    let flaws: &[Flaw] = match framing {
        Framing::Lines | Framing::Nul | Framing::Length => &[Flaw::TooLong],
        Framing::Json => &[Flaw::TooLong, Flaw::Malformed],
        Framing::Keyed => &[Flaw::TooLong, Flaw::Malformed, Flaw::Unroutable],
    };
    Some(pick(random, flaws))
}

/// A body that the framing can carry.
fn body(framing: Framing, flaw: Option<Flaw>, random: &mut Rng) -> Vec<u8> {
    let length = match flaw {
        Some(Flaw::TooLong) => random.usize(MAX_SIZE * 2..MAX_SIZE * 4),
        // A key without a body is not a record without a separator.
        Some(Flaw::Malformed) => random.usize(1..MAX_SIZE / 2),
        _ => random.usize(..MAX_SIZE / 2),
    };
    let plain = framing == Framing::Json || flaw == Some(Flaw::Malformed);
    let byte = |random: &mut Rng| match framing {
        _ if plain => random.u8(b'a'..=b'z'),
        Framing::Nul => random.u8(1..),
        Framing::Length => random.u8(..),
        _ => Some(random.u8(..)).filter(|byte| *byte != b'\n').unwrap_or(b'\r'),
    };
    (0..length).map(|_| byte(random)).collect()
}
