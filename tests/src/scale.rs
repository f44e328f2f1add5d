//! The size of everything: the only place where the short and the full form differ.

use std::sync::OnceLock;

/// The numbers of one form of the tests.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Log lines that go through a quorum queue.
    pub log_lines: usize,
    /// Messages that wait while rmq-recv is killed repeatedly.
    pub crash_lines: usize,
    /// How often it is killed.
    pub crashes: u32,
    /// How often rmq-send --spool is killed.
    pub spool_kills: u32,
    /// Lines that go through one rmq-send while its memory is watched.
    pub memory_lines: usize,
    /// Lines that go in while a broker stops and starts again.
    pub restart_lines: usize,
    /// How often each of three nodes is stopped and started in turn, which takes 7 s.
    pub turns: usize,
    /// Messages that are moved from queue to queue while one of the three processes is killed.
    pub pipeline_lines: usize,
    /// How often one of them is killed.
    pub pipeline_kills: usize,
    /// Mebibytes that go through rmq-recv while its memory is watched.
    pub mebibytes: usize,
    /// Mebibytes of one large message.
    pub large: usize,
    /// How often rmq-recv is killed before it has acknowledged anything.
    pub crash_loop: usize,
    /// Queues in one CSV file; in the full form, more than a connection has channels.
    pub queues: usize,
    /// Rows of a random CSV file.
    pub rows: usize,
    /// Users, each with a permission, in a file that rmq-perm applies.
    pub permissions: usize,
    /// Bindings in a listing.
    pub bindings: usize,
    /// How often rmq-perm is run while the broker is busy.
    pub administrations: usize,
    /// Seconds of steady load, while the resources of the tools are watched.
    pub steady_seconds: u64,
    /// How often the tools lose their connections meanwhile.
    pub reconnects: usize,
    /// Seconds in which a log is rotated about every 10 ms while runs send what is new.
    pub rotating_seconds: u64,
    /// Messages that are each passed to a command.
    pub commands: usize,
    /// Random command lines of each of rmq-send and rmq-recv.
    pub combinations: usize,
    /// Whether a table of runs has each of its cells.
    pub all_cells: bool,
    /// Minutes of faults of every kind.
    pub torture_minutes: &'static str,
}

const SHORT: Scale = Scale {
    log_lines: 20_000,
    crash_lines: 40_000,
    crashes: 15,
    spool_kills: 12,
    memory_lines: 100_000,
    restart_lines: 20_000,
    turns: 1,
    pipeline_lines: 27_000,
    pipeline_kills: 9,
    mebibytes: 128,
    large: 30,
    crash_loop: 24,
    queues: 300,
    rows: 60,
    permissions: 500,
    bindings: 1_000,
    administrations: 50,
    steady_seconds: 5,
    reconnects: 20,
    rotating_seconds: 4,
    commands: 300,
    combinations: 100,
    all_cells: false,
    torture_minutes: "0.6",
};

const FULL: Scale = Scale {
    log_lines: 100_000,
    crash_lines: 100_000,
    crashes: 100,
    spool_kills: 100,
    memory_lines: 1_000_000,
    restart_lines: 100_000,
    turns: 3,
    pipeline_lines: 1_800_000,
    pipeline_kills: 600,
    mebibytes: 10 << 10,
    large: 100,
    crash_loop: 100,
    queues: 10_000,
    rows: 600,
    permissions: 10_000,
    bindings: 10_000,
    administrations: 1_000,
    steady_seconds: 3600,
    reconnects: 1000,
    rotating_seconds: 120,
    commands: 20_000,
    combinations: 2_000,
    all_cells: true,
    torture_minutes: "60",
};

/// The chosen form: the full one if `RMQ_SOAK` is 1, otherwise the short one.
pub fn scale() -> Scale {
    if std::env::var("RMQ_SOAK").is_ok_and(|soak| soak == "1") { FULL } else { SHORT }
}

/// A random generator for the test `test`. Its seed belongs to the run, unless `RMQ_SEED` gives
/// one. The seed is printed, and the test harness shows it after a failure.
///
/// # Panics
/// When `RMQ_SEED` is not a number.
pub fn random(test: &str) -> fastrand::Rng {
    static SEED: OnceLock<u64> = OnceLock::new();
    let seed = *SEED.get_or_init(|| match std::env::var("RMQ_SEED") {
        Ok(seed) => seed.parse().expect("RMQ_SEED is a number"),
        Err(_) => fastrand::u64(..),
    });
    eprintln!("{test}: RMQ_SEED={seed}");
    // Tests run in any order and in parallel, so each has its own sequence.
    let own = test.bytes().fold(seed, |seed, byte| (seed ^ u64::from(byte)).wrapping_mul(PRIME));
    fastrand::Rng::with_seed(own)
}

/// The same from `seed` in the short form, unless `RMQ_SEED` gives another.
pub fn seeded(test: &str, seed: u64) -> fastrand::Rng {
    let is_free = std::env::var_os("RMQ_SOAK").is_some() || std::env::var_os("RMQ_SEED").is_some();
    if is_free { random(test) } else { fastrand::Rng::with_seed(seed) }
}

/// The prime of FNV, to distinguish names.
const PRIME: u64 = 0x0100_0000_01b3;
