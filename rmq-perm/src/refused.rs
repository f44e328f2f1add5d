//! The refusals that a broker is known for, in the same words whichever way leads to it.

use rmq_common::exit::Exit;
use rmq_common::failure::Failure;

/// There is no such user (67).
pub fn no_such_user() -> Failure {
    Failure::new(Exit::NoUser, "no such user")
}

/// There is no such virtual host (65).
pub fn no_such_vhost() -> Failure {
    Failure::data("no such vhost")
}

/// There is no such exchange (65).
pub fn no_such_exchange(name: &str) -> Failure {
    Failure::data(format!("no such exchange: {name}"))
}

/// A user of that name is there (65).
pub fn user_exists() -> Failure {
    let what = "the user exists already; nothing was changed";
    Failure::data(format!("{what} (change-password gives a new password)"))
}

/// The broker refuses a pattern (65); `why` is what it says.
pub fn invalid_pattern(pattern: &str, why: &str) -> Failure {
    Failure::data(format!("'{pattern}' is not a regular expression the broker takes: {why}"))
}
