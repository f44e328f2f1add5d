//! Who causes the faults, side by side: of nodes, of what is around the programs, of programs.

use crate::proxy::Proxy;
use crate::torture::class::Class;
use crate::torture::flow::Flow;
use crate::torture::nodes;
use crate::torture::schedule::{Fault, Schedule};
use crate::torture::stage::Stage;
use crate::torture::watched::{Order, Orders};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a flow may take to continue after a fault, before that counts as a fault of ours.
const GOES_ON: Duration = Duration::from_secs(240);

/// What was done.
#[derive(Debug, Default)]
pub struct Done {
    /// The faults.
    pub faults: Vec<Class>,
    /// Lines that were promised while two nodes of three were away, later than two seconds after.
    pub without_majority: usize,
    /// Nodes that had to be killed to become whole.
    pub unhealed: usize,
    /// The longest that a flow took to continue once the cluster was whole.
    pub longest: Duration,
}

impl Done {
    /// Both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.faults.extend(other.faults);
        self.without_majority += other.without_majority;
        self.unhealed += other.unhealed;
        self.longest = self.longest.max(other.longest);
        self
    }
}

/// The next fault, after the pause before it; `None` once that would end too late.
fn next(stage: &Stage<'_>, schedule: &mut Schedule, length: Duration) -> Option<Fault> {
    let fault = schedule.next_fault();
    if stage.began.elapsed() + fault.pause > length {
        return None;
    }
    sleep(fault.pause);
    Some(fault)
}

/// Causes faults of nodes for so long, and waits after each until every flow continues.
pub fn of_nodes(
    stage: &Stage<'_>,
    flows: &[Flow],
    mut schedule: Schedule,
    length: Duration,
) -> Done {
    let mut done = Done::default();
    let cluster = stage.vhost.cluster;
    while let Some(fault) = next(stage, &mut schedule, length) {
        let nodes = nodes::nodes(&fault);
        let name = fault.class.name();
        stage.tell(&format!("{name} {nodes:?} for {:?}", fault.hold));
        nodes::begin(cluster, fault.class, &nodes);
        hold(flows, &fault, &mut done);
        match nodes::end(cluster, fault.class, &nodes) {
            Ok(more) => {
                stage.tell(&format!("{name} {nodes:?} is over{more}"));
                done.unhealed += usize::from(!more.is_empty());
            }
            Err(problem) => {
                flows[0].problem(format!("{name} {nodes:?}: the cluster does not heal: {problem}"));
                return done;
            }
        }
        done.faults.push(fault.class);
        let healed = Instant::now();
        for flow in flows {
            let before = flow.ledger().out();
            if !eventually(GOES_ON, || flow.ledger().out() > before) {
                flow.problem(format!("after {name} {nodes:?} nothing comes out"));
                return done;
            }
        }
        done.longest = done.longest.max(healed.elapsed());
    }
    done
}

/// Lets it last.
fn hold(flows: &[Flow], fault: &Fault, done: &mut Done) {
    let majority = matches!(fault.class, Class::KillMajority | Class::PauseMajority);
    // What was confirmed before may still be on its way to us.
    let settles = if majority { Duration::from_secs(2).min(fault.hold) } else { Duration::ZERO };
    sleep(settles);
    // A spool promises without a broker, and so does a log.
    let confirming = flows.iter().filter(|flow| !["spool", "follow"].contains(&flow.name));
    let promised = || confirming.clone().map(|flow| flow.ledger().promised()).sum::<usize>();
    let before = promised();
    sleep(fault.hold - settles);
    if majority {
        done.without_majority += promised() - before;
    }
}

/// Causes faults of the network and the disk for so long.
pub fn of_surroundings(stage: &Stage<'_>, mut schedule: Schedule, length: Duration) -> Done {
    let mut done = Done::default();
    while let Some(fault) = next(stage, &mut schedule, length) {
        let nodes = stage.proxies.len();
        let (name, hold) = (fault.class.name(), fault.hold);
        match fault.class {
            Class::CutConnection => {
                let node = fault.target % nodes;
                stage.tell(&format!("{name} to node {} after {} bytes", node + 1, fault.bytes));
                stage.proxies[node].cut(fault.bytes);
            }
            Class::SilentNetwork => {
                let one = stage.proxies.get(fault.target % (nodes + 1));
                let silent = one.map_or(&stage.proxies[..], std::slice::from_ref);
                let to = if one.is_some() { fault.target % (nodes + 1) + 1 } else { 0 };
                stage.tell(&format!("{name} to node {to} (0: all) for {hold:?}"));
                silent.iter().for_each(Proxy::stall);
                sleep(hold);
                silent.iter().for_each(Proxy::resume);
            }
            Class::FullDisk => {
                stage.tell(&format!("{name} for {hold:?}"));
                stage.fill_disk(hold);
            }
            other => panic!("{other:?} is not a fault of the surroundings"),
        }
        done.faults.push(fault.class);
    }
    done
}

/// Causes faults of programs for so long.
pub fn of_programs(
    stage: &Stage<'_>,
    programs: &[Orders],
    mut schedule: Schedule,
    length: Duration,
) -> Done {
    let mut done = Done::default();
    while let Some(fault) = next(stage, &mut schedule, length) {
        let program = &programs[fault.target % programs.len()];
        let order = match fault.class {
            Class::KillTool => Order::Kill,
            Class::StopTool => Order::Stop,
            Class::PauseTool => Order::Pause(fault.hold),
            other => panic!("{other:?} is not a fault of programs"),
        };
        stage.tell(&format!("{}: {order:?} {}", fault.class.name(), program.name));
        program.give(order);
        done.faults.push(fault.class);
    }
    done
}

/// Looks until `condition` holds; whether it did within `limit`.
pub fn eventually(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while !condition() {
        if Instant::now() > deadline {
            return false;
        }
        sleep(Duration::from_millis(50));
    }
    true
}
