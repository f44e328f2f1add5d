//! The asynchronous runtime: the one module that names async-std.
//!
//! async-std was required but is discontinued upstream (RUSTSEC-2025-0052), so everything that
//! depends on it is here, and leaving it changes only this file. lapin runs its I/O loop on its own
//! thread; the tools await channels and timers, which any executor supports.

use crate::net::executor;
use futures_util::future::{Either, select};
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

pub use async_std::net::TcpStream;
pub use async_std::task::{sleep, yield_now};

/// Work that this thread does besides what it waits for.
pub(crate) trait Beside {
    /// Does what can be done without waiting, and registers the task to be woken for more. Returns
    /// whether anything was done; `None` once there will be no more.
    fn turn(&self, context: &mut Context<'_>) -> Option<bool>;
}

thread_local! {
    static BESIDE: RefCell<Vec<Arc<dyn Beside>>> = const { RefCell::new(Vec::new()) };
}

/// How often the future and the other work alternate before everything else has a turn.
const TURNS: usize = 16;

/// Also does this work whenever this thread waits in [`block_on`].
pub(crate) fn beside(other: Arc<dyn Beside>) {
    BESIDE.with_borrow_mut(|all| all.push(other));
}

/// Runs a future on this thread, and the work given to [`beside`].
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    executor::block_on(poll_fn(|context| {
        for _ in 0..TURNS {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(output);
            }
            let mut any = false;
            BESIDE.with_borrow_mut(|all| {
                all.retain(|other| {
                    let turn = other.turn(context);
                    any |= turn == Some(true);
                    turn.is_some()
                });
            });
            if !any {
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }))
}

/// The output of whichever future finishes first; of the first one if both do.
pub async fn first<T>(one: impl Future<Output = T>, other: impl Future<Output = T>) -> T {
    select(pin!(one), pin!(other)).await.factor_first().0
}

/// Sleeps until `time`; forever if `None`.
pub async fn sleep_until(time: Option<Instant>) {
    match time {
        Some(time) => sleep(time.saturating_duration_since(Instant::now())).await,
        None => std::future::pending().await,
    }
}

/// Waits for `future`, at most `limit`; `None` after that.
pub async fn timeout<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    match select(pin!(future), pin!(sleep(limit))).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}
