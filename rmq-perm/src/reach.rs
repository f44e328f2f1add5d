//! How long to keep trying to reach the broker.

use rmq_common::diagnostics::Diagnostics;
use rmq_common::duration::Limit;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::retry::{Backoff, Patience};
use rmq_common::runtime;
use std::time::Duration;

/// How long every tool tries to reach a broker at first, without `--retry`.
pub const FIRST_RETRY: Limit = Limit::For(Duration::from_secs(30));

/// Why the broker was not reached. No request that changes it has been sent by then.
#[derive(Debug)]
pub struct Unreached {
    pub failure: Failure,
    /// Whether trying again later may help.
    pub later: Later,
}

/// Whether trying again later may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Later {
    Never,
    /// Only if the broker has never started yet: then it gets what it lacks when it starts.
    /// Otherwise the caller has made an error, and is not left waiting.
    BeforeTheFirstStart,
    /// The broker may be starting.
    Soon,
}

impl Unreached {
    /// The broker may be starting.
    pub fn for_now(failure: Failure) -> Self {
        Unreached { failure, later: Later::Soon }
    }

    /// Trying again cannot help.
    pub fn lasting(failure: Failure) -> Self {
        Unreached { failure, later: Later::Never }
    }

    /// Trying again cannot help, unless the broker has never started.
    pub fn before_the_first_start(failure: Failure) -> Self {
        Unreached { failure, later: Later::BeforeTheFirstStart }
    }

    /// The same failure with a prefix.
    #[must_use]
    pub fn context(self, context: impl std::fmt::Display) -> Self {
        Unreached { failure: self.failure.context(context), ..self }
    }
}

impl From<Failure> for Unreached {
    /// A node that cannot be reached (69) may be starting; no other failure is retried.
    fn from(failure: Failure) -> Self {
        let is_starting = failure.exit() == Exit::Unavailable;
        Unreached { later: if is_starting { Later::Soon } else { Later::Never }, failure }
    }
}

/// Tries `connect` until it succeeds, fails permanently, or `limit` is over.
///
/// # Errors
/// The last failure.
pub fn connect<T>(
    limit: Limit,
    diagnostics: Diagnostics,
    mut connect: impl FnMut() -> Result<T, Unreached>,
) -> Result<T, Failure> {
    let patience = Patience::new(limit);
    let mut backoff = Backoff::default();
    let mut reported = false;
    loop {
        let Unreached { failure, later } = match connect() {
            Ok(connected) => return Ok(connected),
            Err(unreached) => unreached,
        };
        if later != Later::Soon {
            return Err(failure);
        }
        if patience.is_over() {
            let tried = match limit {
                Limit::For(limit) if limit < Duration::from_secs(1) => String::new(),
                _ => format!(" (tried for {})", patience.tried()),
            };
            return Err(Failure::new(failure.exit(), format!("{failure}{tried}")));
        }
        if !reported {
            diagnostics.notice(&format!("{failure}; trying again, --retry {limit}"));
            reported = true;
        }
        let pause = backoff.next_pause();
        let pause = patience.left().map_or(pause, |left| left.min(pause));
        runtime::block_on(runtime::sleep(pause));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_starting_is_tried_again_and_what_will_not_change_is_not() {
        let diagnostics = Diagnostics::new("rmq-test", true, false);
        let tried = |limit: Limit, exits: &[Exit]| {
            let mut tries = 0;
            let connected = connect(limit, diagnostics, || {
                tries += 1;
                match exits.get(tries - 1) {
                    Some(exit) => Err(Unreached::from(Failure::new(*exit, "why"))),
                    None => Ok(()),
                }
            });
            (tries, connected.map_err(|failure| failure.to_string()))
        };
        let second = Limit::For(Duration::from_secs(1));
        assert_eq!(tried(second, &[Exit::Unavailable; 2]), (3, Ok(())));
        let why = || Err("why".to_owned());
        assert_eq!(tried(second, &[Exit::NoPerm; 2]), (1, why()));
        assert_eq!(tried(Limit::For(Duration::ZERO), &[Exit::Unavailable; 2]), (1, why()));
        let (tries, failed) = tried(second, &[Exit::Unavailable; 100]);
        assert!(tries > 2 && failed == Err("why (tried for 1s)".to_owned()), "{tries} {failed:?}");
    }
}
