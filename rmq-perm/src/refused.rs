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

/// That an exchange whose type this is, if it exists, can have topic permissions.
///
/// # Errors
/// When it does not exist, or is of another type (65).
pub fn unless_topic(exchange: &str, kind: Option<&[u8]>) -> Result<(), Failure> {
    match kind {
        Some(b"topic") => Ok(()),
        // The one without a name, which only the management API knows by this one.
        None if exchange == "amq.default" => Err(not_a_topic_exchange(exchange, b"direct")),
        Some(kind) => Err(not_a_topic_exchange(exchange, kind)),
        None => Err(no_such_exchange(exchange)),
    }
}

/// Topic permissions at an exchange of another type, which restrict nothing (65).
fn not_a_topic_exchange(name: &str, kind: &[u8]) -> Failure {
    let kind = String::from_utf8_lossy(kind);
    Failure::data(format!(
        "{name} is an exchange of type {kind}, at which topic permissions restrict nothing; name a \
         topic exchange"
    ))
}

/// A user of that name is there (65).
pub fn user_exists() -> Failure {
    Failure::data(
        "the user exists already; nothing was changed (change-password gives a new password, add-user \
         --replace this password and these tags)",
    )
}

/// The broker refuses a pattern (65); `why` is what it says.
pub fn invalid_pattern(pattern: &str, why: &str) -> Failure {
    Failure::data(format!("'{pattern}' is not a regular expression the broker takes: {why}"))
}

/// What a broker says in its own words, without the signs that Erlang puts around a text:
/// `<<"al">>` is `'al'`, and `{error,not_allowed}` is `error: not_allowed`.
pub fn plain(said: &str) -> String {
    let text = said.trim().replace("<<\"", "'").replace("\">>", "'").replace("<<>>", "''");
    match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        Some(inner) => inner.replace(['{', '}', '[', ']'], "").replace(',', ": "),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_broker_says_is_told_without_erlangs_signs() {
        for (said, told) in [
            (r#"user <<"al">> is protected"#, "user 'al' is protected"),
            (r#"{error,{no_such_user,<<"al">>}}"#, "error: no_such_user: 'al'"),
            ("the password is too short", "the password is too short"),
            ("<<>> is no name", "'' is no name"),
        ] {
            assert_eq!(plain(said), told);
        }
    }
}
