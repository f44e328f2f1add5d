//! Faults of nodes: each begins, lasts, and ends with a cluster that is whole again.

use crate::cluster::Cluster;
use crate::torture::class::Class;
use crate::torture::schedule::Fault;

/// How many seconds a cluster may take to find itself whole. On RabbitMQ 3.10 a node that was
/// paused may never come back by itself.
const HEALS: u32 = 20;

/// Which nodes of three it is done to.
pub fn nodes(fault: &Fault) -> Vec<usize> {
    let one = fault.target % 3 + 1;
    match fault.class {
        // All but that one.
        Class::KillMajority | Class::PauseMajority => (1..=3).filter(|node| *node != one).collect(),
        _ => vec![one],
    }
}

/// Begins it.
///
/// # Panics
/// When it cannot be done.
pub fn begin(cluster: &Cluster, class: Class, nodes: &[usize]) {
    match class {
        Class::KillNode | Class::KillMajority => cluster.kill(nodes),
        Class::StopNode => cluster.stop(nodes),
        Class::PauseNode | Class::PauseMajority => cluster.pause(nodes),
        Class::Partition => cluster.partition(nodes),
        Class::MemoryAlarm => watermark(cluster, nodes, "0.0000001"),
        Class::DiskAlarm => disk_limit(cluster, nodes, "1 bsl 60"),
        other => panic!("{other:?} is not a fault of nodes"),
    }
}

/// Ends it, and sees to it that the cluster is whole; what had to be done beyond, in words.
///
/// # Errors
/// When the cluster does not become whole, whatever is done.
pub fn end(cluster: &Cluster, class: Class, nodes: &[usize]) -> Result<&'static str, String> {
    match class {
        Class::KillNode | Class::KillMajority | Class::StopNode => {
            return match cluster.try_start(nodes) {
                Ok(()) => Ok(""),
                Err(_) => restart(cluster, nodes),
            };
        }
        Class::PauseNode | Class::PauseMajority => cluster.resume(nodes),
        Class::Partition => cluster.reunite(),
        Class::MemoryAlarm => watermark(cluster, nodes, "0.4"),
        Class::DiskAlarm => disk_limit(cluster, nodes, "50000000"),
        other => panic!("{other:?} is not a fault of nodes"),
    }
    match cluster.try_wait(HEALS) {
        Ok(()) => Ok(""),
        Err(_) => restart(cluster, nodes),
    }
}

/// Kills nodes, whatever they are doing, and starts them.
fn restart(cluster: &Cluster, nodes: &[usize]) -> Result<&'static str, String> {
    let running: Vec<usize> =
        nodes.iter().copied().filter(|node| cluster.is_running(*node)).collect();
    if !running.is_empty() {
        cluster.kill(&running);
    }
    cluster.try_start(nodes).map(|()| ", which did not heal and was killed and started")
}

fn watermark(cluster: &Cluster, nodes: &[usize], fraction: &str) {
    on_each(cluster, nodes, &format!("vm_memory_monitor:set_vm_memory_high_watermark({fraction})"));
}

fn disk_limit(cluster: &Cluster, nodes: &[usize], bytes: &str) {
    on_each(cluster, nodes, &format!("rabbit_disk_monitor:set_disk_free_limit({bytes})"));
}

fn on_each(cluster: &Cluster, nodes: &[usize], call: &str) {
    for node in nodes {
        let done = cluster.try_erlang(*node, &format!("begin {call}, \"\" end"));
        done.unwrap_or_else(|problem| panic!("node {node}: {call}: {problem}"));
    }
}
