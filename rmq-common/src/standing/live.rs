//! The present counts of a run.

use crate::cli::diagnostics::Diagnostics;
use crate::cli::failure::Failure;
use crate::cli::signals;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts that the loop of a run sets and other threads read.
#[derive(Clone)]
pub struct Live<T>(Arc<Shared<T>>);

struct Shared<T> {
    standing: Mutex<T>,
    probe: Mutex<Option<Probe<T>>>,
}

type Probe<T> = Box<dyn Fn(&mut T) + Send>;

impl<T: Clone + Send + 'static> Live<T> {
    /// Starts with these counts.
    pub fn new(standing: T) -> Self {
        Live(Arc::new(Shared { standing: Mutex::new(standing), probe: Mutex::new(None) }))
    }

    /// Sets the counts.
    pub fn set(&self, standing: T) {
        *lock(&self.0.standing) = standing;
    }

    /// Some counts are known elsewhere: `probe` adds them when the counts are read.
    pub fn probe(&self, probe: impl Fn(&mut T) + Send + 'static) {
        *lock(&self.0.probe) = Some(Box::new(probe));
    }

    /// The present counts.
    pub fn now(&self) -> T {
        let mut standing = lock(&self.0.standing).clone();
        if let Some(probe) = &*lock(&self.0.probe) {
            probe(&mut standing);
        }
        standing
    }

    /// Prints them at each SIGUSR1 and, if the system has it, SIGINFO.
    ///
    /// # Errors
    /// The operating system refuses a handler or a thread (74).
    pub fn print_on_signal(&self, diagnostics: Diagnostics) -> Result<(), Failure>
    where
        T: Display,
    {
        let live = self.clone();
        signals::on_question(move || diagnostics.answer(&live.now().to_string()))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_know_is_added_when_it_is_asked_for() {
        let live = Live::new((1, 0));
        live.set((2, 0));
        assert_eq!(live.now(), (2, 0));
        live.probe(|standing| standing.1 = standing.0 * 10);
        assert_eq!(live.now(), (2, 20));
        live.set((3, 0));
        assert_eq!(live.now(), (3, 30));
    }
}
