//! The asynchronous runtime: the one module that names async-std.
//!
//! async-std was asked for and is discontinued upstream (RUSTSEC-2025-0052), so everything that
//! depends on it stands here, and leaving it is a change to this file. lapin runs its I/O loop on
//! a thread of its own; what the tools await are channels and timers, which any executor serves.

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

/// Something that this thread does beside what it waits for.
pub(crate) trait Beside {
    /// Does what can be done without waiting, and has the task woken when there is more. Whether
    /// anything was done; `None` once there will be nothing any more.
    fn turn(&self, context: &mut Context<'_>) -> Option<bool>;
}

thread_local! {
    static BESIDE: RefCell<Vec<Arc<dyn Beside>>> = const { RefCell::new(Vec::new()) };
}

/// How often the future and what is done beside it take turns before everything else has one.
const TURNS: usize = 16;

/// Does this, too, whenever this thread waits in [`block_on`].
pub(crate) fn beside(other: Arc<dyn Beside>) {
    BESIDE.with_borrow_mut(|all| all.push(other));
}

/// Runs a future on this thread, and beside it what was given to [`beside`].
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
