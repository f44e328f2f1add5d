//! Random faults of every kind at the same time, and the ledger of what became of each line.
//!
//! Four flows of numbered lines go through quorum queues on three nodes, each at a steady pace:
//!
//! * direct: rmq-send → queue → rmq-recv;
//! * pipeline: rmq-send → queue → rmq-recv --ack downstream | filter | rmq-send --ack-to → queue →
//!   rmq-recv;
//! * spool: rmq-send --spool → queue → rmq-recv;
//! * follow: a log that is rotated continually → rmq-send --follow --positions → queue → rmq-recv.
//!
//! Meanwhile, [`lanes`] causes the faults that [`schedule`] draws from the seed. [`sender`],
//! [`spooler`], [`shipper`], [`receiver`] and [`pipeline`] keep the programs running and judge how
//! each ends, and [`ledger`] records which line was given to which program, which lines were
//! promised (confirmed, in a spool, or in a log that still exists), and which came out, how often,
//! and how marked. At the end everything is healed, the flows run dry, and [`report`] gives the
//! result.

pub mod account;
pub mod class;
pub mod comparison;
pub mod feed;
pub mod flow;
pub mod lanes;
pub mod ledger;
pub mod life;
pub mod line;
pub mod log;
pub mod nodes;
pub mod options;
pub mod order;
pub mod piped;
pub mod pipeline;
pub mod receiver;
pub mod report;
pub mod rotation;
pub mod schedule;
pub mod sender;
pub mod shipped;
pub mod shipper;
pub mod spooler;
pub mod stage;
pub mod watched;

use crate::cluster::Cluster;
use crate::torture::class::Lane;
use crate::torture::flow::Flow;
use crate::torture::lanes::{Done, eventually};
use crate::torture::ledger::Ledger;
use crate::torture::options::Options;
use crate::torture::receiver::SHIPPED;
use crate::torture::report::Report;
use crate::torture::schedule::Schedule;
use crate::torture::stage::Stage;
use crate::torture::watched::Orders;
use crate::vhost::Vhost;
use std::fs::File;
use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// A node of RabbitMQ 3.10 that is cut off pauses; the other releases accept this setting, too.
const CONFIG: [&str; 2] = ["--config", "cluster_partition_handling = pause_minority"];

/// The programs that faults affect, in the order of [`play`].
const PROGRAMS: [&str; 11] = [
    "direct send",
    "direct recv",
    "pipeline first send",
    "pipeline recv",
    "pipeline filter",
    "pipeline send",
    "pipeline last recv",
    "spool send",
    "spool recv",
    "follow send",
    "follow recv",
];

/// Every queue.
const QUEUES: [&str; 5] = ["direct", "first", "second", "spooled", "followed"];

/// How long the end may take, without further faults.
const ENDS: Duration = Duration::from_secs(600);

/// Plays it, and returns the report.
///
/// # Panics
/// When there is no cluster to play it on.
pub fn run(options: Options) -> Report {
    let cluster = Cluster::up_with(3, &options.release, &CONFIG);
    let versions = cluster.versions();
    let vhost = Vhost::new(&cluster);
    for queue in QUEUES {
        let words = ["--delivery-limit", "unlimited", "--leader-locator", "balanced"];
        vhost.declare(&words, queue);
    }
    let log = File::create(&options.log).expect("a file for the log");
    let limit = options.length * 2 + ENDS * 4;
    let stage = Stage::new(vhost, options.rate, limit, log);
    stage.tell(&format!("seed {}, log {}", options.seed, options.log.display()));
    let flows = [
        Flow::new("direct", "direct", Ledger::default()),
        Flow::new("pipeline", "first", Ledger::default()),
        Flow::new("spool", "spooled", Ledger::spooled()),
        Flow::new("follow", "followed", Ledger::followed()).with_format(SHIPPED),
    ];
    let programs = PROGRAMS.map(Orders::new);
    let done = play(&stage, &flows, &programs, &options);
    report(options, versions, &stage, &flows, &programs, done)
}

/// Causes faults while there is time, then ends everything.
fn play(stage: &Stage<'_>, flows: &[Flow; 4], programs: &[Orders; 11], options: &Options) -> Done {
    let [direct, pipeline, spool, follow] = flows;
    let [piped, received] = [&AtomicBool::new(false), &AtomicBool::new(false)];
    let p = programs;
    thread::scope(|scope| {
        let senders = [
            scope.spawn(|| sender::keep_sending(stage, direct, &p[0])),
            scope.spawn(|| sender::keep_sending(stage, pipeline, &p[2])),
            scope.spawn(|| spooler::keep_spooling(stage, spool, &p[7])),
            scope.spawn(|| shipper::keep_shipping(stage, follow, &p[9], options)),
        ];
        let pipe = scope.spawn(|| {
            let queues = ["first", "second"];
            pipeline::keep_piping(stage, pipeline, queues, [&p[3], &p[4], &p[5]], piped);
        });
        for (flow, queue, orders) in [
            (direct, "direct", &p[1]),
            (pipeline, "second", &p[6]),
            (spool, "spooled", &p[8]),
            (follow, "followed", &p[10]),
        ] {
            scope.spawn(move || receiver::keep_receiving(stage, flow, queue, orders, received));
        }
        wait(stage, flows, programs, "something comes out of each flow", || {
            flows.iter().all(|flow| flow.ledger().out() > 0)
        });
        let schedule = |lane| Schedule::new(options.seed, &options.classes, lane);
        let length = stage.began.elapsed() + options.length;
        let lanes = [
            schedule(Lane::Nodes)
                .map(|it| scope.spawn(move || lanes::of_nodes(stage, flows, it, length))),
            schedule(Lane::Surroundings)
                .map(|it| scope.spawn(move || lanes::of_surroundings(stage, it, length))),
            schedule(Lane::Programs)
                .map(|it| scope.spawn(move || lanes::of_programs(stage, programs, it, length))),
        ];
        let done = lanes.into_iter().flatten().map(|lane| lane.join().expect("a lane of faults"));
        let done = done.fold(Done::default(), Done::and);
        stage.tell("no more faults");
        flows.iter().for_each(Flow::end);
        wait(stage, flows, programs, "all senders end", || {
            senders.iter().all(|it| it.is_finished())
        });
        let empty = |queue: &str| stage.vhost.try_held(queue).is_some_and(|it| it.messages() == 0);
        wait(stage, flows, programs, "the pipeline is empty", || empty("first"));
        piped.store(true, Ordering::Relaxed);
        wait(stage, flows, programs, "the pipeline ends", || pipe.is_finished());
        wait(stage, flows, programs, "the queues are empty", || {
            ["direct", "second", "spooled", "followed"].into_iter().all(empty)
        });
        received.store(true, Ordering::Relaxed);
        done
    })
}

/// Waits and, after the time limit, ends everything: a program that hangs is a fault.
fn wait(
    stage: &Stage<'_>,
    flows: &[Flow],
    programs: &[Orders],
    what: &str,
    condition: impl FnMut() -> bool,
) {
    stage.tell(what);
    if eventually(ENDS, condition) {
        return;
    }
    flows[0].problem(format!("waited {ENDS:?} in vain: {what}"));
    for queue in QUEUES {
        stage.tell(&format!("{queue} holds {:?}", stage.vhost.try_held(queue)));
    }
    for program in programs {
        stage.tell(&format!("{}, {}", program.name, program.said()));
    }
    exit(1);
}

fn report(
    options: Options,
    versions: [String; 2],
    stage: &Stage<'_>,
    flows: &[Flow; 4],
    programs: &[Orders; 11],
    done: Done,
) -> Report {
    let mut problems: Vec<String> = flows.iter().flat_map(Flow::problems).collect();
    let mut accounts = Vec::new();
    let programs = [&programs[..2], &programs[2..7], &programs[7..9], &programs[9..]];
    for (flow, programs) in flows.iter().zip(programs) {
        let account = flow.ledger().account();
        let torn = programs.iter().map(Orders::kills).sum();
        problems
            .extend(account.faults(torn).into_iter().map(|text| format!("{}: {text}", flow.name)));
        accounts.push((flow.name, account));
    }
    let mut faults = std::collections::BTreeMap::new();
    for class in done.faults {
        *faults.entry(class).or_default() += 1;
    }
    Report {
        options,
        versions,
        took: stage.began.elapsed(),
        faults,
        unhealed: done.unhealed,
        longest: done.longest,
        without_majority: done.without_majority,
        accounts,
        rotations: flows.iter().flat_map(Flow::rotations).collect(),
        endings: flows.iter().flat_map(Flow::endings).collect(),
        problems,
    }
}
