//! The resources of the machine that a process takes.

use std::fs;

/// The resources that a process takes at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Threads.
    pub threads: usize,
    /// Open file descriptors.
    pub descriptors: usize,
    /// Children that have ended and have not been waited for.
    pub zombies: usize,
    /// Resident memory in kibibytes.
    pub resident: usize,
}

impl Taken {
    /// The resources that the process `pid` takes now.
    ///
    /// # Panics
    /// When there is no such process.
    pub fn by(pid: u32) -> Self {
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).expect("its descriptors").count();
        let zombies = fs::read_dir("/proc").expect("processes").filter(|entry| {
            let path = entry.as_ref().expect("a process").path().join("stat");
            // It may have ended by now.
            let stat = fs::read_to_string(path).unwrap_or_default();
            // The name, in parentheses, may contain anything.
            let fields = stat.rsplit_once(") ").map(|(_, fields)| fields).unwrap_or_default();
            fields.starts_with(&format!("Z {pid} "))
        });
        let zombies = zombies.count();
        let [threads, resident] = ["Threads:", "VmRSS:"].map(|field| status(pid, field));
        Taken { threads, descriptors, zombies, resident }
    }

    /// The same without memory, for comparisons.
    #[must_use]
    pub fn but_memory(self) -> Self {
        Taken { resident: 0, ..self }
    }
}

/// A number from `/proc/PID/status`; those about memory are in kibibytes.
///
/// # Panics
/// When there is no such process.
pub fn status(pid: u32, field: &str) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("the field");
    line.split_whitespace().next().and_then(|word| word.parse().ok()).expect("a number")
}
