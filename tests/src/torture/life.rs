//! For how long the programs that follow a log live, and what ends them.

use crate::torture::class::Class;
use crate::torture::options::Options;
use crate::torture::watched::Order;
use std::time::{Duration, Instant};

/// Random lives.
#[derive(Debug)]
pub struct Lives {
    random: fastrand::Rng,
    ends: Vec<Order>,
}

/// The life of one program, from its start.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    began: Instant,
    /// `None` if nothing ends it.
    length: Option<(Duration, Order)>,
}

impl Lives {
    /// The lives for a torture.
    pub fn new(options: &Options) -> Self {
        let mut ends = vec![(Class::KillTool, Order::Kill); 3];
        ends.push((Class::StopTool, Order::Stop));
        ends.retain(|(class, _)| options.classes.contains(class));
        let ends = ends.into_iter().map(|(_, order)| order).collect();
        Lives { random: fastrand::Rng::with_seed(!options.seed), ends }
    }

    /// The next one. Some are longer than the time after which a quiet rotated file is given up.
    pub fn next_life(&mut self) -> Life {
        let is_long = self.random.u8(..8) == 0;
        let length = self.random.u64(if is_long { 8_000..15_000 } else { 50..3_000 });
        let order = self.random.choice(self.ends.iter().copied());
        let length = order.map(|order| (Duration::from_millis(length), order));
        Life { began: Instant::now(), length }
    }
}

impl Life {
    /// What has to end it now; SIGTERM if everything `is_over`.
    pub fn order(&self, is_over: bool) -> Option<Order> {
        match self.length {
            _ if is_over => Some(Order::Stop),
            Some((length, order)) if self.began.elapsed() > length => Some(order),
            _ => None,
        }
    }
}
