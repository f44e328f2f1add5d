//! The settings of a torture, from its environment.

use crate::brokers::release;
use crate::torture::class::Class;
use std::path::PathBuf;
use std::time::Duration;

/// The settings.
#[derive(Clone, Debug)]
pub struct Options {
    /// What decides the faults: `RMQ_SEED`, else any.
    pub seed: u64,
    /// For how long there are faults: `RMQ_MINUTES`, else 10.
    pub length: Duration,
    /// Which RabbitMQ: `RMQ_RELEASE`, else Debian's own.
    pub release: String,
    /// Which faults: `RMQ_FAULTS`, their names with commas between; else all.
    pub classes: Vec<Class>,
    /// Lines a second into each of the four flows: `RMQ_RATE`, else 300.
    pub rate: f64,
    /// Where everything that the programs say goes: `RMQ_LOG`, else a file of the seed's name where
    /// temporary files are.
    pub log: PathBuf,
}

impl Options {
    /// What the environment says.
    ///
    /// # Panics
    /// When that is not understood.
    pub fn from_environment() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let number = |name, default: f64| {
            let number = variable(name).map(|value| value.parse::<f64>());
            number.map_or(default, |number| number.unwrap_or_else(|_| panic!("{name}: no number")))
        };
        let seed = variable("RMQ_SEED");
        let seed =
            seed.map_or_else(|| fastrand::u64(..1 << 32), |seed| seed.parse().expect("RMQ_SEED"));
        let classes = match variable("RMQ_FAULTS") {
            None => Class::ALL.to_vec(),
            Some(names) => names
                .split(',')
                .map(|name| Class::named(name).unwrap_or_else(|| panic!("{name}: {}", known())))
                .collect(),
        };
        let log = variable("RMQ_LOG").map(PathBuf::from);
        Options {
            seed,
            length: Duration::from_secs_f64(number("RMQ_MINUTES", 10.0) * 60.0),
            release: release(),
            classes,
            rate: number("RMQ_RATE", 300.0),
            log: log.unwrap_or_else(|| std::env::temp_dir().join(format!("torture-{seed}.log"))),
        }
    }

    /// The faults of a comparison, unless the environment names others.
    #[must_use]
    pub fn for_a_comparison(self) -> Self {
        let is_open = self.classes.len() == Class::ALL.len();
        let classes = if is_open { vec![Class::KillNode, Class::KillTool] } else { self.classes };
        Options { classes, ..self }
    }
}

fn known() -> String {
    let names: Vec<&str> = Class::ALL.iter().map(|class| class.name()).collect();
    format!("no such fault; there are {}", names.join(", "))
}
