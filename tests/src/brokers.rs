//! The clusters that tests share: each starts with the first test that needs it, and ends with the
//! process.

use crate::cluster::Cluster;
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// The release of the shared brokers: `RMQ_RELEASE`, or Debian's own.
pub fn release() -> String {
    std::env::var("RMQ_RELEASE").unwrap_or_else(|_| "3.10".to_owned())
}

/// One node, which no test stops.
pub fn one() -> &'static Cluster {
    static ONE: OnceLock<Cluster> = OnceLock::new();
    ONE.get_or_init(|| Cluster::up(1, &release()))
}

/// Three nodes, which no test stops.
pub fn three() -> &'static Cluster {
    static THREE: OnceLock<Cluster> = OnceLock::new();
    THREE.get_or_init(|| Cluster::up(3, &release()))
}

/// One node of RabbitMQ 4.0, which no test stops.
pub fn one_of_four() -> &'static Cluster {
    static FOUR: OnceLock<Cluster> = OnceLock::new();
    if release().starts_with("4.0") { one() } else { FOUR.get_or_init(|| Cluster::up(1, "4.0")) }
}

/// One node to stop and start, for one test at a time.
pub fn one_to_break() -> Breakable {
    static BREAKABLE: Mutex<Option<Cluster>> = Mutex::new(None);
    Breakable::of(&BREAKABLE, 1)
}

/// Three nodes to stop and start, for one test at a time: two cores carry no more.
pub fn three_to_break() -> Breakable {
    static BREAKABLE: Mutex<Option<Cluster>> = Mutex::new(None);
    Breakable::of(&BREAKABLE, 3)
}

/// A cluster that one test has for itself for a while.
#[derive(Debug)]
pub struct Breakable {
    cluster: MutexGuard<'static, Option<Cluster>>,
}

impl Breakable {
    fn of(shared: &'static Mutex<Option<Cluster>>, nodes: usize) -> Self {
        // A test that failed with it poisons the lock; nodes that it left down are started again.
        let mut cluster = shared.lock().unwrap_or_else(PoisonError::into_inner);
        match &*cluster {
            Some(cluster) => cluster.heal(),
            None => *cluster = Some(Cluster::up(nodes, &release())),
        }
        Breakable { cluster }
    }
}

impl Deref for Breakable {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        self.cluster.as_ref().expect("it was started")
    }
}
