//! Names that the broker's internal functions accept, but that no client could use.

use rmq_common::failure::Failure;
use rmq_common::{names, nearest};

/// The longest name AMQP can carry: a short string.
const LONGEST: usize = 255;

/// A virtual host's name.
///
/// # Errors
/// An empty name, or one too long to connect to (65).
pub fn vhost(name: &str) -> Result<&str, Failure> {
    checked("a virtual host's name", name)
}

/// A user's name.
///
/// # Errors
/// An empty name, or one that no message could carry as its `user_id` (65).
pub fn user(name: &str) -> Result<&str, Failure> {
    checked("a user's name", name)
}

/// The name of an exchange with topic permissions.
///
/// # Errors
/// As [`user`].
pub fn exchange(name: &str) -> Result<&str, Failure> {
    checked("an exchange's name", name)
}

/// The name of a queue or exchange.
///
/// # Errors
/// As [`user`].
pub fn resource(name: &str) -> Result<&str, Failure> {
    checked("a name", name)
}

/// A user's tag. Several are written with commas between them, so none may hold one.
///
/// # Errors
/// An empty or too long tag, or one with a comma or a space in it (65).
pub fn tag(tag: &str) -> Result<&str, Failure> {
    if tag.contains(|c: char| c == ',' || c.is_whitespace() || c.is_control()) {
        let why = "a tag holds neither comma nor space; give several as words of their own";
        return Err(Failure::data(format!("'{}': {why}", tag.escape_debug())));
    }
    checked("a tag", tag)
}

/// What RabbitMQ gives a meaning to.
const TAGS: [&str; 5] =
    ["administrator", "monitoring", "policymaker", "management", "impersonator"];

/// What to say of a tag to which RabbitMQ gives no meaning: it may be a plugin's, or misspelt.
pub fn doubt_of_tag(tag: &str) -> Option<String> {
    if TAGS.contains(&tag) {
        return None;
    }
    let lower = tag.to_lowercase();
    let begun = || TAGS.into_iter().find(|known| lower.len() > 2 && known.starts_with(&lower));
    let hint = nearest::nearest(&lower, TAGS).or_else(begun);
    let hint = hint.map(|meant| format!(" (did you mean {meant}?)")).unwrap_or_default();
    Some(format!("the tag '{tag}' has no meaning to RabbitMQ{hint}"))
}

fn checked<'a>(what: &str, name: &'a str) -> Result<&'a str, Failure> {
    names::not_a_url(what, name)?;
    match name.len() {
        0 => Err(Failure::data(format!("{what} cannot be empty"))),
        length if length > LONGEST => {
            Err(Failure::data(format!("{what} can have {LONGEST} bytes at most, not {length}")))
        }
        _ => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_without_a_meaning_is_told_with_the_one_that_may_be_meant() {
        assert_eq!(doubt_of_tag("management"), None);
        let warning = doubt_of_tag("adminstrator").unwrap();
        assert!(warning.ends_with("(did you mean administrator?)"), "{warning}");
        assert!(doubt_of_tag("admin").unwrap().contains("mean administrator?"));
        assert!(doubt_of_tag("Monitoring").unwrap().contains("mean monitoring?"));
        assert_eq!(doubt_of_tag("mine").unwrap(), "the tag 'mine' has no meaning to RabbitMQ");
    }

    #[test]
    fn a_name_is_neither_empty_nor_longer_than_a_short_string() {
        let longest = "x".repeat(255);
        assert_eq!(vhost(&longest).unwrap(), longest);
        assert_eq!(user("a b\tc").unwrap(), "a b\tc");
        for name in ["", &"ü".repeat(128)] {
            assert_eq!(vhost(name).unwrap_err().exit().status(), 65);
            assert_eq!(user(name).unwrap_err().exit().status(), 65);
            assert_eq!(tag(name).unwrap_err().exit().status(), 65);
        }
        assert_eq!(tag("administrator,monitoring").unwrap_err().exit().status(), 65);
    }
}
