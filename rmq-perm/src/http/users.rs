//! Users. The API puts a user whole, whether new or there before, so what there is is asked first,
//! and what is to stay is put again.

use super::broker::{Changed, Http, each, tags, text};
use crate::administration::{Password, User};
use crate::refused;
use rmq_common::failure::Failure;
use serde_json::{Map, Value, json};

/// Adds a user without tags.
///
/// # Errors
/// When there is one of that name, or the broker refuses the password (65).
pub fn add(broker: &Http, user: &str, password: &Password) -> Result<(), Failure> {
    if broker.get(&["users", user], "")?.is_some() {
        return Err(refused::user_exists());
    }
    let mut body = with(password);
    body.insert("tags".to_owned(), json!([]));
    match broker.put(&["users", user], &body.into())? {
        Changed::Created => Ok(()),
        Changed::Done | Changed::Missing => Err(Failure::data(
            "somebody else added the user at the same moment; the user now has this password, and \
             no tags",
        )),
    }
}

/// Gives a user another password.
///
/// # Errors
/// When there is no such user (67), or the broker refuses the password (65).
pub fn change_password(broker: &Http, user: &str, password: &Password) -> Result<(), Failure> {
    let there = broker.user_as_it_is(user)?;
    let mut body = with(password);
    body.insert("tags".to_owned(), there.get("tags").cloned().unwrap_or_else(|| json!([])));
    broker.put(&["users", user], &body.into()).map(drop)
}

/// Gives a user exactly these tags.
///
/// # Errors
/// When there is no such user (67).
pub fn set_tags(broker: &Http, user: &str, tags: &[&str]) -> Result<(), Failure> {
    let there = broker.user_as_it_is(user)?;
    let mut body = Map::new();
    body.insert("tags".to_owned(), json!(tags));
    for key in ["password_hash", "hashing_algorithm"] {
        body.insert(key.to_owned(), there.get(key).cloned().unwrap_or_default());
    }
    broker.put(&["users", user], &body.into()).map(drop)
}

/// Deletes a user.
///
/// # Errors
/// When there is no such user (67).
pub fn delete(broker: &Http, user: &str) -> Result<(), Failure> {
    match broker.delete(&["users", user])? {
        Changed::Missing => Err(refused::no_such_user()),
        Changed::Created | Changed::Done => Ok(()),
    }
}

/// The users.
///
/// # Errors
/// When the broker does not tell.
pub fn list(broker: &Http) -> Result<Vec<User>, Failure> {
    let answer = broker.expect(&["users"], "?columns=name,tags")?;
    each(&answer, |user| Some(User { name: text(user, "name")?, tags: tags(user)? }))
}

fn with(password: &Password) -> Map<String, Value> {
    let (key, value) = match password {
        Password::Clear(password) => ("password", password.reveal()),
        Password::Hashed(hash) => ("password_hash", hash.base64()),
        Password::None => ("password_hash", ""),
    };
    Map::from_iter([(key.to_owned(), json!(value))])
}
