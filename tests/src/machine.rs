//! The machine on which a report was made.

use std::fs;

/// The system, its kernel and its processors, on one line.
pub fn described() -> String {
    let of = |file: &str, field: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(field)).map(str::to_owned);
        line.and_then(|line| {
            Some(line.split_once([':', '='])?.1.trim().trim_matches('"').to_owned())
        })
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processor = of("/proc/cpuinfo", "model name").unwrap_or_default();
    let system = of("/etc/os-release", "PRETTY_NAME").unwrap_or_default();
    format!("{system}, Linux {}, {cores} cores of {processor}", kernel.trim())
}
