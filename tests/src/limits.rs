//! What a process takes of the machine.

use std::fs;

/// What a process takes, at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Threads.
    pub threads: usize,
    /// Open file descriptors.
    pub descriptors: usize,
    /// Children that have ended and that nobody has waited for.
    pub zombies: usize,
    /// Memory that is resident, in kibibytes.
    pub resident: usize,
}

impl Taken {
    /// What the process `pid` takes now.
    ///
    /// # Panics
    /// When there is no such process.
    pub fn by(pid: u32) -> Self {
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).expect("its descriptors").count();
        let zombies = fs::read_dir("/proc").expect("processes").filter(|entry| {
            let path = entry.as_ref().expect("a process").path().join("stat");
            // It may be gone by now.
            let stat = fs::read_to_string(path).unwrap_or_default();
            // The name, in parentheses, may hold anything.
            let fields = stat.rsplit_once(") ").map(|(_, fields)| fields).unwrap_or_default();
            fields.starts_with(&format!("Z {pid} "))
        });
        let zombies = zombies.count();
        let [threads, resident] = ["Threads:", "VmRSS:"].map(|field| status(pid, field));
        Taken { threads, descriptors, zombies, resident }
    }

    /// The same with no memory, to be compared.
    #[must_use]
    pub fn but_memory(self) -> Self {
        Taken { resident: 0, ..self }
    }
}

/// A number in `/proc/PID/status`; those of memory are in kibibytes.
///
/// # Panics
/// When there is no such process.
pub fn status(pid: u32, field: &str) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("the field");
    line.split_whitespace().next().and_then(|word| word.parse().ok()).expect("a number")
}
