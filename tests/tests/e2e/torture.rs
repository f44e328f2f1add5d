//! Faults of every kind at the same time: the short form of `make torture`.

use rmq_tests::scale::{random, scale};
use rmq_tests::tool::{Tool, binary};
use std::path::Path;
use std::time::Duration;

#[test]
fn whatever_is_killed_stopped_cut_off_or_full_nothing_that_was_promised_is_lost() {
    let seed = random("torture").u32(..).to_string();
    // If it fails, this is the log of all programs.
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("torture.log");
    let tortured = Tool::program(binary("torture"))
        .environment("RMQ_SEED", &seed)
        .environment("RMQ_MINUTES", scale().torture_minutes)
        .environment("RMQ_LOG", log.to_str().unwrap())
        .timeout(Duration::from_secs(7200))
        .run();
    eprintln!("{}", String::from_utf8_lossy(&tortured.stdout));
    tortured.expect(0);
}
