//! Why there is no answer, and what that means.

use crate::reach::Unreached;
use rmq_common::duration::Limit;
use rmq_common::exit::Exit;
use rmq_common::failure::{Cause, Failure};
use rmq_common::tls_error::{self, Inside};
use std::io::ErrorKind;
use std::time::Duration;
use ureq::Error;

/// Whether a request may change something, which decides what a lost answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It asks.
    Reads,
    /// It may change something.
    Changes,
}

/// What is added where a change was asked for.
pub const UNKNOWN: &str = "; whether it was done is unknown";

/// Why there is no answer.
#[derive(Debug)]
pub enum Unanswered {
    /// There is no connection, so nothing was asked.
    NotReached {
        /// Why.
        failure: Failure,
        /// Whether trying again later may help.
        later: bool,
    },
    /// The time is over.
    Late,
    /// The connection has ended.
    Lost(std::io::Error),
    /// What came is not the protocol.
    Broken(String),
    /// What came is larger than anything that is asked for.
    TooLarge,
}

impl Unanswered {
    /// What an error of ureq's is.
    pub fn of(error: Error) -> Self {
        let unavailable = |why: String| Failure::new(Exit::Unavailable, why);
        match error {
            Error::Timeout(_) => Unanswered::Late,
            Error::BodyExceedsLimit(_) => Unanswered::TooLarge,
            Error::HostNotFound => {
                let failure = unavailable("the host has no address".to_owned());
                Unanswered::NotReached { failure, later: true }
            }
            Error::Tls(why) => {
                let failure = unavailable(format!("TLS: {why}"));
                Unanswered::NotReached { failure, later: false }
            }
            Error::Io(error) => match tls_error::read_io(&error, Inside::Http) {
                Some(failure) => Unanswered::NotReached { failure, later: false },
                None if is_before_anything(error.kind()) => {
                    let why = format!("nothing answers there: {}", Cause(&error));
                    Unanswered::NotReached { failure: unavailable(why), later: true }
                }
                None => Unanswered::Lost(error),
            },
            other => Unanswered::Broken(other.to_string()),
        }
    }

    /// What it means for a request that had a connection to go by. `place` is who was asked.
    pub fn in_words(self, effect: Effect, place: &str, limit: Duration) -> Failure {
        let (exit, why) = match self {
            Unanswered::NotReached { failure, .. } => return failure.context(place),
            Unanswered::Late => {
                (Exit::TempFail, format!("no answer from {place} within {}", Limit::For(limit)))
            }
            Unanswered::Lost(error) => {
                (Exit::TempFail, format!("lost the connection to {place}: {}", Cause(&error)))
            }
            Unanswered::Broken(what) => {
                (Exit::Software, format!("{place} broke the protocol: {what}"))
            }
            Unanswered::TooLarge => {
                (Exit::Software, format!("the answer from {place} is too large"))
            }
        };
        match effect {
            Effect::Reads => Failure::new(exit, why),
            Effect::Changes => Failure::new(exit, format!("{why}{UNKNOWN}")),
        }
    }

    /// What it means for the very first request, which changes nothing.
    pub fn while_connecting(self, limit: Duration, tls: bool) -> Unreached {
        let unavailable = |why: String| Failure::new(Exit::Unavailable, why);
        match self {
            // Of TLS, and certificates that do not serve; `of` reports a host without an address.
            Unanswered::NotReached { failure, later } => Unreached { failure, later },
            Unanswered::Late => {
                Unreached::for_now(unavailable(format!("no answer within {}", Limit::For(limit))))
            }
            Unanswered::Lost(error) => Unreached::for_now(unavailable(Cause(&error).to_string())),
            Unanswered::Broken(what) => {
                let tls = if tls { "" } else { " (or is it TLS, https://?)" };
                let what = format!("what answers there is not the management API{tls}: {what}");
                Unreached::lasting(unavailable(what))
            }
            Unanswered::TooLarge => {
                let what = "what answers there is not the management API: its answer is too large";
                Unreached::lasting(unavailable(what.to_owned()))
            }
        }
    }
}

/// What comes of connecting, before anything is sent.
fn is_before_anything(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::AddrNotAvailable
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(2);

    fn said(error: Error, effect: Effect) -> (String, u8) {
        let failure = Unanswered::of(error).in_words(effect, "http://h:1", LIMIT);
        (failure.to_string(), failure.exit().status())
    }

    fn lost() -> Error {
        Error::Io(ErrorKind::ConnectionReset.into())
    }

    #[test]
    fn what_was_not_sent_was_not_done_and_what_was_may_have_been() {
        let refused = said(Error::Io(ErrorKind::ConnectionRefused.into()), Effect::Changes);
        let wanted = "http://h:1: nothing answers there: connection refused".to_owned();
        assert_eq!(refused, (wanted, 69));
        let late = || Error::Timeout(ureq::Timeout::Global);
        let wanted = "no answer from http://h:1 within 2s";
        assert_eq!(said(late(), Effect::Reads), (wanted.to_owned(), 75));
        assert_eq!(said(late(), Effect::Changes), (format!("{wanted}{UNKNOWN}"), 75));
        let wanted = format!("lost the connection to http://h:1: connection reset{UNKNOWN}");
        assert_eq!(said(lost(), Effect::Changes), (wanted, 75));
        assert_eq!(said(Error::LargeResponseHeader(2, 1), Effect::Reads).1, 70);
    }

    #[test]
    fn whatever_happens_while_connecting_means_that_the_api_is_not_reached() {
        for error in [lost(), Error::Timeout(ureq::Timeout::Global), Error::ConnectionFailed] {
            let failure = Unanswered::of(error).while_connecting(LIMIT, false).failure;
            assert_eq!(failure.exit(), Exit::Unavailable, "{failure}");
        }
    }
}
