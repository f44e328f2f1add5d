//! Runs lapin's tasks on threads that wait anyway: this one and lapin's I/O thread.
//!
//! lapin's default executor starts a thread per processor before the first byte is sent, and every
//! answer passes through one of them.

use async_executor::Executor;
use async_rs::traits;
use async_rs::util::{Task, TaskImpl};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// lapin has a few per connection: its heartbeat, its replies to the broker.
static TASKS: Executor<'static> = Executor::new();

/// Runs `future`, and lapin's tasks while it waits.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    async_io::block_on(TASKS.run(future))
}

/// The executor as lapin knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting;

impl traits::Executor for Waiting {
    type Task<T: Send + 'static> = Spawned<T>;

    /// Waits without handling other threads' reactor events: the main thread then handles its own,
    /// and need not be woken by this one.
    fn block_on<T, F: Future<Output = T>>(&self, future: F) -> T {
        futures_lite::future::block_on(TASKS.run(future))
    }

    fn spawn<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        future: F,
    ) -> Task<Spawned<T>> {
        Spawned(Some(TASKS.spawn(future))).into()
    }

    /// lapin uses this only in its own connect, which is never called.
    fn spawn_blocking<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(
        &self,
        blocking: F,
    ) -> Task<Spawned<T>> {
        self.spawn(async { blocking() })
    }
}

/// A task of lapin's; dropping this does not stop it.
#[derive(Debug)]
pub(crate) struct Spawned<T>(Option<async_executor::Task<T>>);

impl<T: Send + 'static> TaskImpl for Spawned<T> {
    fn cancel<'this, 'future>(
        &'this mut self,
    ) -> Pin<Box<dyn Future<Output = Option<T>> + Send + 'future>>
    where
        'this: 'future,
        Self: 'future,
    {
        let task = self.0.take();
        Box::pin(async { task?.cancel().await })
    }

    fn detach(&mut self) {
        if let Some(task) = self.0.take() {
            task.detach();
        }
    }
}

impl<T: Send + 'static> Future for Spawned<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match &mut self.0 {
            Some(task) => Pin::new(task).poll(context),
            None => Poll::Pending,
        }
    }
}
