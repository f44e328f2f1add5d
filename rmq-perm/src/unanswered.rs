//! Requests without an answer: what that means, over either transport.

use rmq_common::duration::Limit;
use rmq_common::exit::Exit;
use rmq_common::failure::{Cause, Failure};
use std::time::Duration;

/// Whether a request may change something, which decides what a lost answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Reads,
    Changes,
}

/// Appended to the reason if a change may have been made.
pub const UNKNOWN: &str = "; whether it was done is unknown";

impl Effect {
    /// `why`, followed by a note that a change may have been made.
    pub fn may_be_done(self, why: String) -> String {
        match self {
            Effect::Reads => why,
            Effect::Changes => why + UNKNOWN,
        }
    }
}

/// Why there is no answer to a request that was sent.
#[derive(Debug)]
pub enum Unanswered {
    Late,
    /// The connection has ended.
    Lost(std::io::Error),
    /// What arrived does not follow the protocol.
    Broken(String),
    /// What arrived is larger than any answer that is requested.
    TooLarge,
}

impl Unanswered {
    /// The failure for it. `place` is what was asked.
    pub fn failure(&self, effect: Effect, place: &str, limit: Duration) -> Failure {
        let (exit, why) = match self {
            Unanswered::Late => {
                (Exit::TempFail, format!("no answer from {place} within {}", Limit::For(limit)))
            }
            Unanswered::Lost(error) => {
                (Exit::TempFail, format!("lost the connection to {place}: {}", Cause(error)))
            }
            Unanswered::Broken(what) => {
                (Exit::Software, format!("{place} broke the protocol: {what}"))
            }
            Unanswered::TooLarge => {
                (Exit::Software, format!("the answer from {place} is too large"))
            }
        };
        Failure::new(exit, effect.may_be_done(why))
    }
}

/// The failure of `count` changes that share a missing answer.
pub fn of_several(failure: Failure, count: usize) -> Failure {
    match count {
        0 | 1 => failure,
        _ => Failure::new(failure.exit(), format!("{failure}, and so for {} more", count - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;

    #[test]
    fn what_was_asked_to_be_changed_and_not_answered_may_have_been() {
        let failed = |why: Unanswered, effect| {
            let failure = why.failure(effect, "rabbit@h", Duration::from_secs(2));
            (failure.to_string(), failure.exit().status())
        };
        let lost = || Unanswered::Lost(ErrorKind::ConnectionReset.into());
        let late = "no answer from rabbit@h within 2s";
        assert_eq!(failed(Unanswered::Late, Effect::Reads), (late.to_owned(), 75));
        assert_eq!(failed(Unanswered::Late, Effect::Changes), (format!("{late}{UNKNOWN}"), 75));
        let wanted = format!("lost the connection to rabbit@h: connection reset{UNKNOWN}");
        assert_eq!(failed(lost(), Effect::Changes), (wanted, 75));
        assert_eq!(failed(Unanswered::Broken("x".to_owned()), Effect::Reads).1, 70);
        assert_eq!(failed(Unanswered::TooLarge, Effect::Reads).1, 70);
    }

    #[test]
    fn a_lost_answer_to_several_changes_is_reported_with_their_number() {
        let failure = || Failure::new(Exit::TempFail, "x; whether it was done is unknown");
        assert_eq!(of_several(failure(), 1), failure());
        let several = of_several(failure(), 3).to_string();
        assert_eq!(several, "x; whether it was done is unknown, and so for 2 more");
    }
}
