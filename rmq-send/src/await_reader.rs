//! `--ack-to`: nothing is read before a process has opened the FIFO to learn what is confirmed.

use crate::input::sources::Source;
use crate::results::ack_to::Fifo;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::retry::Backoff;
use rmq_common::runtime;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// How long to wait for a reader of `--ack-to` before reporting the wait.
const READER_DUE: Duration = Duration::from_secs(5);
/// How long to wait for one after the input has ended.
const READER_GONE: Duration = Duration::from_secs(10);

/// Waits until a process reads the FIFO; `None` if there turns out to be nothing to report.
///
/// # Errors
/// The input has ended, so its reader is gone (74).
pub async fn wait_for_reader(
    name: &str,
    sources: &[Source],
    diagnostics: Diagnostics,
) -> Result<Option<OwnedFd>, Failure> {
    let fifo = Fifo::new(name)?;
    let (mut backoff, begun, mut reported) = (Backoff::default(), Instant::now(), false);
    let mut ended = None;
    loop {
        // rmq-recv opens it before it writes anything.
        let hung_up = sources.first().filter(|_| sources.len() == 1).and_then(Source::hung_up);
        if let Some(opened) = fifo.open()? {
            match reported {
                true => diagnostics.notice(&format!("{name} has a reader")),
                false => diagnostics.trace(&format!("reporting to {name}")),
            }
            return Ok(Some(opened));
        }
        if hung_up == Some(true) {
            return Ok(None);
        }
        if hung_up == Some(false) && ended.get_or_insert_with(Instant::now).elapsed() > READER_GONE
        {
            let text = format!("nothing reads {name} and the input has ended; no input was read");
            return Err(Failure::new(Exit::IoErr, text));
        }
        if !reported && begun.elapsed() > READER_DUE {
            diagnostics.notice(&format!("waiting for a reader of {name} (rmq-recv --ack-from)"));
            reported = true;
        }
        runtime::sleep(backoff.next_pause().min(Duration::from_millis(100))).await;
    }
}
