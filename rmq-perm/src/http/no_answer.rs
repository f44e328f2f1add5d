//! No answer from the API, or one that did not come from it.

use crate::reach::Unreached;
use crate::unanswered::{Effect, Unanswered};
use rmq_common::duration::Limit;
use rmq_common::exit::Exit;
use rmq_common::failure::{Cause, Failure};
use rmq_common::tls_error::{self, Inside};
use std::io::ErrorKind;
use std::time::Duration;
use ureq::Error;

/// Why there is no answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// There is no connection, so nothing was asked.
    NotReached {
        failure: Failure,
        /// Whether trying again later may help.
        later: bool,
    },
    /// The request was sent, or may have been.
    Sent(Unanswered),
}

impl NoAnswer {
    /// A body that did not come from the API; `what` describes it.
    pub fn broken(what: impl Into<String>) -> Self {
        NoAnswer::Sent(Unanswered::Broken(what.into()))
    }

    /// The request was not sent, for a reason on our side.
    pub fn unsent(failure: Failure) -> Self {
        NoAnswer::NotReached { failure, later: false }
    }

    /// The failure of a request on a connection that worked before. `place` names the API.
    pub fn failure(self, effect: Effect, place: &str, limit: Duration) -> Failure {
        match self {
            NoAnswer::NotReached { failure, .. } => failure.context(place),
            NoAnswer::Sent(why) => why.failure(effect, place, limit),
        }
    }

    /// The failure of the very first request, which changes nothing.
    pub fn while_connecting(self, limit: Duration, tls: bool) -> Unreached {
        let unavailable = |why: String| Failure::new(Exit::Unavailable, why);
        let why = match self {
            NoAnswer::NotReached { failure, later } => {
                return if later {
                    Unreached::for_now(failure)
                } else {
                    Unreached::lasting(failure)
                };
            }
            NoAnswer::Sent(why) => why,
        };
        match why {
            Unanswered::Late => {
                Unreached::for_now(unavailable(format!("no answer within {}", Limit::For(limit))))
            }
            Unanswered::Lost(error) => Unreached::for_now(unavailable(Cause(&error).to_string())),
            Unanswered::Broken(what) => {
                let tls = if tls { "" } else { " (or is it TLS, https://?)" };
                let what = format!("the server there is not the management API{tls}: {what}");
                Unreached::lasting(unavailable(what))
            }
            Unanswered::TooLarge => {
                let what = "the server there is not the management API: its answer is too large";
                Unreached::lasting(unavailable(what.to_owned()))
            }
        }
    }
}

impl From<Error> for NoAnswer {
    fn from(error: Error) -> Self {
        let not_reached = |why: String, later| {
            let failure = Failure::new(Exit::Unavailable, why);
            NoAnswer::NotReached { failure, later }
        };
        match error {
            Error::Timeout(_) => NoAnswer::Sent(Unanswered::Late),
            Error::BodyExceedsLimit(_) => NoAnswer::Sent(Unanswered::TooLarge),
            Error::HostNotFound => not_reached("the host has no address".to_owned(), true),
            Error::Tls(why) => not_reached(format!("TLS: {why}"), false),
            Error::Io(error) => match tls_error::read_io(&error, Inside::Http) {
                Some(failure) => NoAnswer::NotReached { failure, later: false },
                None if is_before_anything(error.kind()) => {
                    not_reached(format!("nothing answers there: {}", Cause(&error)), true)
                }
                None => NoAnswer::Sent(Unanswered::Lost(error)),
            },
            other => NoAnswer::broken(other.to_string()),
        }
    }
}

/// Whether such an error comes from connecting, before anything is sent.
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
    use crate::unanswered::UNKNOWN;

    const LIMIT: Duration = Duration::from_secs(2);

    fn said(error: Error, effect: Effect) -> (String, u8) {
        let failure = NoAnswer::from(error).failure(effect, "http://h:1", LIMIT);
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
            let failure = NoAnswer::from(error).while_connecting(LIMIT, false).failure;
            assert_eq!(failure.exit(), Exit::Unavailable, "{failure}");
        }
    }
}
