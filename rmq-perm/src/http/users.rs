//! Users. The API puts a user whole, whether new or there before, so what there is is asked first,
//! and what is to stay is put again.

use super::broker::{Changed, Http};
use super::json::{each, tags, text};
use crate::administration::{Added, Deleted, Password, User};
use crate::refusal::Refusal;
use rmq_common::failure::Failure;
use rmq_common::secret::Secret;
use serde_json::{Map, Value, json};

/// Adds a user.
///
/// # Errors
/// When there is one of that name, or the broker refuses the password (65).
pub fn add(broker: &Http, user: &str, password: &Password, tags: &[&str]) -> Result<(), Failure> {
    if broker.get(&["users", user], "")?.is_some() {
        return Err(Refusal::UserExists.failure());
    }
    match put(broker, user, password, tags)? {
        Added::New => Ok(()),
        Added::Existed => Err(Failure::data(
            "somebody else added the user at the same moment; the user now has this password and \
             these tags",
        )),
    }
}

/// Makes a user have this password and these tags.
///
/// # Errors
/// When the broker refuses the password (65).
pub fn put(
    broker: &Http,
    user: &str,
    password: &Password,
    tags: &[&str],
) -> Result<Added, Failure> {
    let mut body = with(password);
    body.insert("tags".to_owned(), json!(tags));
    Ok(match broker.put(&["users", user], &body.into())? {
        Changed::Created => Added::New,
        Changed::Done | Changed::Missing => Added::Existed,
    })
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
/// When the broker does not say.
pub fn delete(broker: &Http, user: &str) -> Result<Deleted, Failure> {
    Ok(match broker.delete(&["users", user])? {
        Changed::Missing => Deleted::Before,
        Changed::Created | Changed::Done => Deleted::Now,
    })
}

/// The users, with the hashes of their passwords if `hashes`.
///
/// # Errors
/// When the broker does not tell.
pub fn list(broker: &Http, hashes: bool) -> Result<Vec<User>, Failure> {
    let columns = if hashes { "?columns=name,tags,password_hash" } else { "?columns=name,tags" };
    let answer = broker.expect(&["users"], columns)?;
    each(&answer, |user| {
        // A user who never had a password may have none here either.
        let hash = user.get("password_hash").and_then(Value::as_str).unwrap_or_default();
        let hash = hashes.then(|| Secret::new(hash));
        Some(User { name: text(user, "name")?, tags: tags(user)?, hash })
    })
}

fn with(password: &Password) -> Map<String, Value> {
    let of = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect()
    };
    match password {
        Password::Clear(password) => of(&[("password", password.reveal())]),
        Password::Hashed(hash) => of(&[
            ("password_hash", hash.base64()),
            // Without it the broker takes the one that it is configured for.
            ("hashing_algorithm", &hash.module()),
        ]),
        Password::None => of(&[("password_hash", "")]),
    }
}
