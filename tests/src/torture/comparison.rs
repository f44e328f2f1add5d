//! Two ways to send a log, side by side, with the same log, rotations, kills and killed nodes.

use crate::cluster::Cluster;
use crate::torture::account::Account;
use crate::torture::class::Lane;
use crate::torture::flow::Flow;
use crate::torture::lanes::{self, eventually};
use crate::torture::ledger::Ledger;
use crate::torture::options::Options;
use crate::torture::receiver::SHIPPED;
use crate::torture::schedule::Schedule;
use crate::torture::stage::Stage;
use crate::torture::watched::Orders;
use crate::torture::{ENDS, piped, receiver, shipper};
use crate::vhost::Vhost;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// amqp-publish keeps each line's end.
const ENDED: &str = "%R %s";

/// A function that keeps a log being sent.
type Keep = fn(&Stage<'_>, &Flow, &Orders, &Options);

/// What became of the lines.
#[derive(Debug)]
pub struct Comparison {
    options: Options,
    versions: [String; 2],
    columns: Vec<Column>,
}

/// One of the two ways.
#[derive(Debug)]
struct Column {
    name: &'static str,
    account: Account,
    ends: usize,
    rotations: BTreeMap<&'static str, usize>,
    nodes: usize,
    problems: Vec<String>,
}

/// Plays it twice, one after the other, on the same cluster.
///
/// # Panics
/// When there is no cluster to play it on.
pub fn compare(options: Options) -> Comparison {
    let cluster = Cluster::up(3, &options.release);
    let versions = cluster.versions();
    let piped = Flow::new("follow", "followed", Ledger::default()).with_format(ENDED);
    let followed = Flow::new("follow", "followed", Ledger::followed()).with_format(SHIPPED);
    let contenders: [(&str, Keep, Flow); 2] = [
        ("tail -F | amqp-publish -l", piped::keep_publishing, piped),
        ("rmq-send --follow --positions", shipper::keep_shipping, followed),
    ];
    let columns = contenders.map(|(name, keep, flow)| {
        let vhost = Vhost::new(&cluster);
        vhost.declare(&["--delivery-limit", "unlimited"], flow.queue);
        let log = File::create(&options.log).expect("a file for the log");
        let limit = options.length * 2 + ENDS * 4;
        let stage = Stage::new(vhost, options.rate, limit, log);
        play(&stage, &flow, name, keep, &options)
    });
    Comparison { options, versions, columns: columns.into() }
}

fn play(
    stage: &Stage<'_>,
    flow: &Flow,
    name: &'static str,
    keep: Keep,
    options: &Options,
) -> Column {
    let [sends, receives] = ["follow send", "follow recv"].map(Orders::new);
    let received = AtomicBool::new(false);
    stage.tell(name);
    let done = thread::scope(|scope| {
        let sending = scope.spawn(|| keep(stage, flow, &sends, options));
        scope.spawn(|| receiver::keep_receiving(stage, flow, flow.queue, &receives, &received));
        let length = stage.began.elapsed() + options.length;
        let schedule = Schedule::new(options.seed, &options.classes, Lane::Nodes);
        let done = schedule
            .map(|schedule| lanes::of_nodes(stage, std::slice::from_ref(flow), schedule, length));
        thread::sleep(length.saturating_sub(stage.began.elapsed()));
        flow.end();
        let waits = |what: &str, condition: &mut dyn FnMut() -> bool| {
            if !eventually(ENDS, condition) {
                flow.problem(format!("waited {ENDS:?} in vain: {what}"));
            }
        };
        waits("it ends", &mut || sending.is_finished());
        let held = || stage.vhost.try_held(flow.queue);
        waits("the queue is empty", &mut || held().is_some_and(|held| held.messages() == 0));
        received.store(true, Ordering::Relaxed);
        done.unwrap_or_default()
    });
    let account = flow.ledger().account();
    let ends = flow.endings().into_iter().filter(|(how, _)| how.starts_with(sends.name));
    let remarks = account.remarks.clone();
    Column {
        name,
        account,
        ends: ends.map(|(_, times)| times).sum(),
        rotations: flow.rotations(),
        nodes: done.faults.len(),
        problems: [flow.problems(), remarks].concat(),
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Options { seed, length, rate, .. } = &self.options;
        let minutes = length.as_secs_f64() / 60.0;
        writeln!(f, "`make compare-logs SEED={seed} MINUTES={minutes} RATE={rate}`\n")?;
        let [broker, erlang] = &self.versions;
        writeln!(f, "RabbitMQ {broker} on Erlang/OTP {erlang}, three nodes.\n")?;
        write!(f, "| |")?;
        for Column { name, .. } in &self.columns {
            write!(f, " `{}` |", name.replace('|', "\\|"))?;
        }
        writeln!(f, "\n|---|{}", "---:|".repeat(self.columns.len()))?;
        type Value = fn(&Column) -> usize;
        let rows: [(&str, Value); 8] = [
            ("lines written", |it| it.account.lines),
            ("rotations", |it| it.rotations.values().sum()),
            ("starts", |it| it.ends),
            ("nodes killed", |it| it.nodes),
            ("lines lost", |it| it.account.lost.len()),
            ("lines truncated or removed before they were sent", |it| it.account.unread),
            ("duplicates", |it| it.account.untold + it.account.resent),
            ("lines never written, or torn", |it| it.account.foreign.len() + it.account.torn),
        ];
        for (what, value) in rows {
            write!(f, "| {what} |")?;
            for column in &self.columns {
                write!(f, " {} |", value(column))?;
            }
            writeln!(f)?;
        }
        for Column { name, problems, .. } in &self.columns {
            for problem in problems {
                writeln!(f, "WRONG: {name}: {problem}")?;
            }
        }
        Ok(())
    }
}
