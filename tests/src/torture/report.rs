//! What a sceptic may want to know about a torture.

use crate::machine;
use crate::torture::account::Account;
use crate::torture::class::Class;
use crate::torture::options::Options;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The report.
#[derive(Debug)]
pub struct Report {
    /// Its options.
    pub options: Options,
    /// The versions of the broker and of its Erlang.
    pub versions: [String; 2],
    /// How long it took, with its beginning and its end.
    pub took: Duration,
    /// How often each class of fault was caused.
    pub faults: BTreeMap<Class, usize>,
    /// Nodes that did not heal by themselves.
    pub unhealed: usize,
    /// The longest time that a flow took to continue after the cluster was whole.
    pub longest: Duration,
    /// Lines promised while there was no majority.
    pub without_majority: usize,
    /// The result of each flow, by name.
    pub accounts: Vec<(&'static str, Account)>,
    /// How programs have ended.
    pub endings: BTreeMap<String, usize>,
    /// How the log was rotated.
    pub rotations: BTreeMap<&'static str, usize>,
    /// The faults of the tools.
    pub problems: Vec<String>,
}

impl Report {
    /// Whether all promises were kept.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty()
    }

    fn command(&self) -> String {
        let Options { seed, length, release, classes, rate, .. } = &self.options;
        let mut command =
            format!("make torture SEED={seed} MINUTES={}", length.as_secs_f64() / 60.0);
        if release != "3.10" {
            command.push_str(&format!(" RABBITMQ={release}"));
        }
        if classes.len() < Class::ALL.len() {
            let names: Vec<&str> = classes.iter().map(|class| class.name()).collect();
            command.push_str(&format!(" FAULTS={}", names.join(",")));
        }
        if (rate - 300.0).abs() > f64::EPSILON {
            command.push_str(&format!(" RATE={rate}"));
        }
        command
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [broker, erlang] = &self.versions;
        writeln!(f, "`{}`\n", self.command())?;
        writeln!(
            f,
            "rmq {}, RabbitMQ {broker} on Erlang/OTP {erlang}, three nodes.",
            env!("CARGO_PKG_VERSION")
        )?;
        writeln!(f, "{}, {:.0} s in all.\n", machine::described(), self.took.as_secs_f64())?;
        writeln!(f, "| fault | times |\n|---|---:|")?;
        for (class, times) in &self.faults {
            writeln!(f, "| {} | {times} |", class.name())?;
        }
        let total: usize = self.faults.values().sum();
        writeln!(f, "| all | {total} |\n")?;
        writeln!(
            f,
            "| flow | lines | given again | promised | came out | lost | never sent | out of order | redelivered | sent again | by killed senders | torn |"
        )?;
        writeln!(f, "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")?;
        for (name, account) in &self.accounts {
            let Account { lines, again, promised, out, redelivered, resent, untold, torn, .. } =
                account;
            let Account { lost, foreign, disordered, .. } = account;
            let (lost, foreign) = (lost.len(), foreign.len());
            writeln!(
                f,
                "| {name} | {lines} | {again} | {promised} | {out} | {lost} | {foreign} | {disordered} | {redelivered} | {resent} | {untold} | {torn} |"
            )?;
        }
        writeln!(f)?;
        for (name, Account { resent, resent_told, unread, .. }) in &self.accounts {
            let unread = match *name {
                "follow" => {
                    format!("{unread} lines were truncated or removed before they were sent")
                }
                _ => format!("{unread} lines were unread in a killed sender's pipe"),
            };
            writeln!(
                f,
                "- {name}: rmq-send says that it sent {resent_told} again, which explains {resent} copies; {unread}"
            )?;
        }
        writeln!(
            f,
            "- lines confirmed while two of three nodes were away: {}",
            self.without_majority
        )?;
        writeln!(
            f,
            "- the longest a flow took to go on, once the cluster was whole: {:.1} s",
            self.longest.as_secs_f64()
        )?;
        writeln!(
            f,
            "- nodes that RabbitMQ itself did not bring back, and that were killed and started: {}",
            self.unhealed
        )?;
        let rotations: Vec<String> =
            self.rotations.iter().map(|(kind, times)| format!("{kind}: {times}")).collect();
        writeln!(f, "- rotations of the log: {}", rotations.join(", "))?;
        let endings: Vec<String> =
            self.endings.iter().map(|(how, times)| format!("{how}: {times}")).collect();
        writeln!(f, "- ends of programs: {}", endings.join(", "))?;
        writeln!(f)?;
        if self.is_good() {
            return writeln!(f, "Nothing is wrong.");
        }
        for problem in &self.problems {
            writeln!(f, "WRONG: {problem}")?;
        }
        Ok(())
    }
}
