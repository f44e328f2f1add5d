//! Rules for names: the broker's internal functions accept some that no client can use.

use rmq_common::failure::Failure;
use rmq_common::{names, nearest};

/// The longest name AMQP can carry: a short string.
const LONGEST: usize = 255;

/// # Errors
/// The name is empty, or too long to connect to (65).
pub fn vhost(name: &str) -> Result<&str, Failure> {
    checked("a virtual host's name", name)
}

/// # Errors
/// The name is empty, or too long for a message's `user_id` (65).
pub fn user(name: &str) -> Result<&str, Failure> {
    checked("a user's name", name)
}

/// The name of an exchange with topic permissions.
pub fn exchange(name: &str) -> Result<&str, Failure> {
    checked("an exchange's name", name)
}

/// The name of a queue or exchange.
pub fn resource(name: &str) -> Result<&str, Failure> {
    checked("a name", name)
}

/// A limit of a virtual host or user; Erlang's distribution has a short form for this range.
///
/// # Errors
/// It is not a number, or it is too large (65).
pub fn limit(text: &str) -> Result<u32, Failure> {
    const LARGEST: u32 = i32::MAX.unsigned_abs();
    let limit = text.parse().ok().filter(|limit| *limit <= LARGEST);
    let why = || format!("'{text}' is not a limit; give a number up to {LARGEST}, or none");
    limit.ok_or_else(|| Failure::data(why()))
}

/// The types of queues that every release has.
const QUEUE_TYPES: [&str; 3] = ["classic", "quorum", "stream"];

/// The type of a queue. RabbitMQ 4.0 accepts any text.
///
/// # Errors
/// Another name (65).
pub fn queue_type(kind: &str) -> Result<&str, Failure> {
    if QUEUE_TYPES.contains(&kind) {
        return Ok(kind);
    }
    let why = format!("'{kind}' is not a queue type; use classic, quorum or stream");
    Err(Failure::data(why))
}

/// A user's tag. Tags are separated by commas, so a tag may not contain one.
///
/// # Errors
/// The tag is empty or too long, or contains a comma or a space (65).
pub fn tag(tag: &str) -> Result<&str, Failure> {
    if tag.contains(|c: char| c == ',' || c.is_whitespace() || c.is_control()) {
        let why = "a tag cannot contain a comma or a space; give several tags as separate words";
        return Err(Failure::data(format!("'{}': {why}", tag.escape_debug())));
    }
    checked("a tag", tag)
}

/// Tags separated by commas, sorted.
///
/// # Errors
/// One of them is not a tag (65).
pub fn tags(tags: &str) -> Result<Vec<String>, Failure> {
    let tags = tags.split(',').map(str::trim).filter(|tag| !tag.is_empty());
    let mut tags = tags.map(|it| tag(it).map(str::to_owned)).collect::<Result<Vec<_>, _>>()?;
    tags.sort();
    tags.dedup();
    Ok(tags)
}

/// The tags that RabbitMQ knows.
const TAGS: [&str; 5] =
    ["administrator", "monitoring", "policymaker", "management", "impersonator"];

/// The warning about a tag that RabbitMQ does not know: it may be a plugin's, or misspelt.
pub fn unknown_tag_warning(tag: &str) -> Option<String> {
    if TAGS.contains(&tag) {
        return None;
    }
    let lower = tag.to_lowercase();
    let begun = || TAGS.into_iter().find(|known| lower.len() > 2 && known.starts_with(&lower));
    let hint = nearest::nearest(&lower, TAGS).or_else(begun);
    let hint = hint.map(|meant| format!(" (did you mean {meant}?)")).unwrap_or_default();
    Some(format!("RabbitMQ does not know the tag '{tag}'{hint}"))
}

fn checked<'a>(what: &str, name: &'a str) -> Result<&'a str, Failure> {
    names::not_a_url(what, name)?;
    match name.len() {
        0 => Err(Failure::data(format!("{what} cannot be empty"))),
        length if length > LONGEST => {
            Err(Failure::data(format!("{what} can have at most {LONGEST} bytes, not {length}")))
        }
        _ => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_tag_is_reported_with_the_one_that_may_be_meant() {
        assert_eq!(unknown_tag_warning("management"), None);
        let warning = unknown_tag_warning("adminstrator").unwrap();
        assert!(warning.ends_with("(did you mean administrator?)"), "{warning}");
        assert!(unknown_tag_warning("admin").unwrap().contains("mean administrator?"));
        assert!(unknown_tag_warning("Monitoring").unwrap().contains("mean monitoring?"));
        assert_eq!(unknown_tag_warning("mine").unwrap(), "RabbitMQ does not know the tag 'mine'");
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
