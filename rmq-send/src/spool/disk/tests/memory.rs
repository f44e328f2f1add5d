//! Large amounts of data in little memory.

use super::*;
use std::time::Instant;

/// Processor time of the process, in seconds (proc(5): fields 14 and 15 of `stat`, in hundredths).
fn processor() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = text.rsplit(") ").next().unwrap().split(' ').collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

/// The most memory the process has had, in KiB.
fn peak() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn what_waits_in_the_spool_takes_no_memory() {
    let name = "spool::disk::tests::memory::what_waits_in_the_spool_takes_no_memory";
    let Some(directory) = directory_from_parent() else {
        let directory = tempfile::tempdir().unwrap();
        let output = again(name, &[], directory.path()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        say(&text);
        return assert!(output.status.success() && text.contains("1 passed"), "{output:?}");
    };
    let count: u64 = if soak() { 1_000_000 } else { 300_000 };
    let (started, used, before) = (Instant::now(), processor(), peak());
    let Open { mut writer, mut replay, done, .. } = open(&directory);
    let payloads = vec![[b'x'; 100]; 100];
    for _ in 0..count / 100 {
        assert_eq!(writer.append(&payloads).unwrap(), Appended::All);
    }
    drop(writer);
    let mut records = 0;
    while let Some(batch) = replay.next().unwrap() {
        records += batch.records().count() as u64;
        done.done(records);
    }
    assert_eq!(records, count);
    assert_eq!(done.close().unwrap().kept, 0);
    let each = |seconds: f64| seconds * 1e6 / count as f64;
    let (elapsed, used) = (each(started.elapsed().as_secs_f64()), each(processor() - used));
    let grown = peak() - before;
    let used = format!("{used:.2} us of processor, {grown} KiB more memory");
    say(&format!("{elapsed:.2} us a record, {used}"));
    assert!(grown < 6 << 10, "{grown} KiB for {} KiB of records", count / 10);
}
