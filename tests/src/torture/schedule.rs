//! Which fault comes when, by a seed.

use crate::torture::class::{Class, Lane};
use std::time::Duration;

/// A fault to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is done.
    pub class: Class,
    /// How long all is left alone before it.
    pub pause: Duration,
    /// How long it lasts.
    pub hold: Duration,
    /// To which of those it can be done to, once divided by their number.
    pub target: usize,
    /// After how many bytes, where it is a connection that is cut.
    pub bytes: usize,
}

/// The faults of one lane, in their order. The same seed and classes
/// give the same.
#[derive(Debug)]
pub struct Schedule {
    random: fastrand::Rng,
    classes: Vec<Class>,
    /// Those that are still to come before any comes again, so that a short run has each.
    coming: Vec<Class>,
}

impl Schedule {
    /// The faults of `lane` among `classes`; `None` where there are none.
    pub fn new(seed: u64, classes: &[Class], lane: Lane) -> Option<Self> {
        let mut classes = classes.to_vec();
        classes.retain(|class| class.row().lane == lane);
        let random = fastrand::Rng::with_seed(seed ^ ((lane as u64) << 32));
        (!classes.is_empty()).then_some(Schedule { random, classes, coming: Vec::new() })
    }

    /// The next fault.
    pub fn next_fault(&mut self) -> Fault {
        if self.coming.is_empty() {
            self.coming.clone_from(&self.classes);
            self.random.shuffle(&mut self.coming);
        }
        let class = self.coming.pop().unwrap_or(self.classes[0]);
        let row = class.row();
        let mut milliseconds = |range| Duration::from_millis(self.random.u64(range));
        let (pause, hold) = (milliseconds(row.pause), milliseconds(row.hold));
        let (target, bytes) = (self.random.usize(0..1 << 20), self.random.usize(0..1 << 12));
        Fault { class, pause, hold, target, bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_faults_and_each_class_comes_before_one_comes_again() {
        let faults = |seed| -> Vec<Fault> {
            let mut schedule = Schedule::new(seed, Class::ALL, Lane::Nodes).unwrap();
            (0..16).map(|_| schedule.next_fault()).collect()
        };
        assert_eq!(faults(1), faults(1));
        assert_ne!(faults(1), faults(2));
        let mut first: Vec<Class> = faults(1)[..8].iter().map(|fault| fault.class).collect();
        first.sort_unstable();
        assert_eq!(first, Class::ALL[..8]);
        assert!(Schedule::new(1, &[Class::KillTool], Lane::Nodes).is_none());
    }
}
