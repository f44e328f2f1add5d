//! The asynchronous runtime: the one module that names async-std.
//!
//! async-std was asked for and is discontinued upstream (RUSTSEC-2025-0052), so everything that
//! depends on it stands here, and leaving it is a change to this file. lapin runs its I/O loop on
//! a thread of its own; what the tools await are channels and timers, which any executor serves.

use futures_util::future::{Either, select};
use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};

pub use async_std::net::TcpStream;
pub use async_std::task::{block_on, sleep, yield_now};

/// The output of whichever future is done first; of the first one where both are.
pub async fn first<T>(one: impl Future<Output = T>, other: impl Future<Output = T>) -> T {
    select(pin!(one), pin!(other)).await.factor_first().0
}

/// Sleeps until `time`; for ever where there is none.
pub async fn sleep_until(time: Option<Instant>) {
    match time {
        Some(time) => sleep(time.saturating_duration_since(Instant::now())).await,
        None => std::future::pending().await,
    }
}

/// Waits for `future`, at most `limit`; `None` when the time was up first.
pub async fn timeout<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    match select(pin!(future), pin!(sleep(limit))).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}
